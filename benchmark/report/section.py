"""What a section of a run's page is, and the register of sections: the built-in ones and those of plug-ins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from ..errors import XaiboardError
from ..toolkit.arguments import checked, shown
from . import sections as builtin

if TYPE_CHECKING:
    import pandas as pd

    from .results import Results

Table = Callable[["Results", str], "pd.DataFrame"]
"""Makes a table of a run's results on one data set."""

Note = Callable[["Results", str], str]
"""Says how that table is read."""

Draw = Callable[["Results", str, Path], bool]
"""Draws a figure of one data set in the format that the path ends in; says whether there was anything to draw."""

File = Callable[["Results"], "pd.DataFrame | None"]
"""Makes the table of a CSV, of all data sets; None where the file is not to be."""


@dataclass(frozen=True)
class Section:
    """One question that the page of a run answers for each data set.

    Args:
        name: of the function that makes the table.
        title: heading.
        question: what the section answers, in one sentence.
        table: what the page shows, in short; a section whose table has no rows is not shown.
        note: how the table is read, above it.
        figures: by the first part of their file name, which the data set ends.
        files: CSV files with all that the section knows, by their name.
        columns: what the columns of these files mean, by their name; of those of a plug-in.
        legend: what is said once, above all data sets, where the section is shown for one of them.
        whole_run: whether the section is about the run, below all data sets, and gets "" for the data set.
        place: sections are shown in this order.
    """

    name: str
    title: str
    question: str
    table: Table
    note: Note
    figures: Mapping[str, Draw] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    legend: str = ""
    whole_run: bool = False
    place: int = 1000

    @property
    def of_plugin(self) -> bool:
        """Whether the section is not built in; what goes wrong in it must not cost the rest of the page."""
        return not self.table.__module__.startswith("xaiboard.")

    def describe(self, columns: Iterable[str]) -> dict[str, object]:
        """What ``columns.json`` says of a table of this section with these columns."""
        unsaid = f"what the section '{self.name}' of a plug-in calls so"
        return {
            "row": f"Written by the section '{self.name}' of a plug-in, which asks: {self.question}",
            "columns": {name: self.columns.get(name, unsaid) for name in map(str, columns)},
        }


RUN_FILES = ("cells.csv", "curves.csv")
"""Files of a run that no section may write, though they are CSV."""


class _Register:
    """The sections by name.

    An object that plug-ins fill when they are loaded, as they do the registries of components: what stands in the
    containers of a module is put back.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, Section] = {}

    def add(self, made: Section) -> None:
        """Registers a section; defining the same function again (a notebook's cell) replaces it."""
        if made.of_plugin:
            _load_builtin()
        for name, suffix in [
            *((name, ".csv") for name in made.files),
            *((kind, "") for kind in made.figures),
        ]:
            path = Path(name)
            plain = path.stem.replace("-", "").replace("_", "").isalnum() and path.name == name
            if name in RUN_FILES or not plain or path.suffix != suffix:
                raise XaiboardError(
                    f"the section '{made.name}' of the report writes '{name}'; name a .csv file, or the first part of a"
                    " figure's name, in letters, digits, '_' and '-', that is none of the run's own files"
                )
        others = {name: one for name, one in self.by_name.items() if _origin(one) != _origin(made)}
        if made.name in others:
            raise XaiboardError(f"two sections of the report are named '{made.name}'; rename one")
        for one in others.values():
            taken = (one.files.keys() & made.files.keys()) | (one.figures.keys() & made.figures.keys())
            if taken:
                raise XaiboardError(
                    f"the sections '{one.name}' and '{made.name}' of the report both write '{min(taken)}'; rename one"
                )
        self.by_name[made.name] = made


_REGISTER = _Register()


@checked
def section(
    *,
    title: str,
    question: str,
    note: str | Note = "",
    figures: Mapping[str, Draw] | None = None,
    files: Mapping[str, File] | None = None,
    columns: Mapping[str, str] | None = None,
    legend: str = "",
    whole_run: bool = False,
    place: int = 1000,
) -> Callable[[Table], Table]:
    """Registers a section of the page: ``function(results, dataset)`` makes its table.

    Args:
        title: heading.
        question: what the section answers, in one sentence.
        note: how the table is read, or a function of the results and the data set that says it.
        figures: functions of the results, the data set and the path of the file, by the first part of its name
            (``curves`` for ``curves-digits.png``); they return whether they drew it. The path ends in ``.png``, or in
            ``.svg`` or ``.pdf`` where a user asks for these.
        files: functions of the results that make the table of a CSV, by the file's name.
        columns: what the columns of these tables mean, by their name; ``columns.json`` has it.
        legend: what is said once, above all data sets.
        whole_run: whether the section is about the run, not about one data set, and gets "" for it.
        place: sections are shown in this order; built-in ones have places from 100 to 600.

    Raises:
        XaiboardError: another section has that name, or a file or figure of that name.
    """

    def register(function: Table) -> Table:
        if not callable(function) or not hasattr(function, "__name__"):
            raise XaiboardError(
                f"a section is a named function of results and a data set; got {shown(function)}"
            )
        made = Section(
            name=function.__name__,
            title=title,
            question=question,
            table=function,
            note=(lambda results, dataset, text=note: text) if isinstance(note, str) else note,
            figures=figures or {},
            files=files or {},
            columns=columns or {},
            legend=legend,
            whole_run=whole_run,
            place=place,
        )
        _REGISTER.add(made)
        return function

    return register


def sections() -> list[Section]:
    """All sections, in the order of the page."""
    _load_builtin()
    return sorted(_REGISTER.by_name.values(), key=lambda one: one.place)


def _origin(one: Section) -> tuple[str, str]:
    return one.table.__module__, one.table.__qualname__


@cache
def _load_builtin() -> None:
    """Imports the modules that register the built-in sections."""
    for module in iter_modules(builtin.__path__):
        import_module(f"{builtin.__name__}.{module.name}")
