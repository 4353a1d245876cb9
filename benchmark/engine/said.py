"""What a plan says of the names that its cells have in tables, so that a report need not read them from text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from ..components.choice import Choice
from ..components.kinds import Column
from ..subjects.datasets import find_dataset
from ..toolkit.labels import Label, read_trained, setting_text
from ..toolkit.score_ranges import range_to_json
from .cell import Cell


def labels(cells: Iterable[Cell], rows: Iterable[Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """The parts of each text in the columns ``method``, ``perturbation`` and ``settings``, by the text.

    Args:
        cells: of the plan.
        rows: their rows of ``cells.csv``, where the texts stand.
    """
    said: dict[str, dict[str, object]] = {"methods": {}, "perturbations": {}, "settings": {}}
    for cell, row in zip(cells, rows, strict=True):
        said["settings"][str(row["settings"])] = dict(label(cell.metric).settings)
        if cell.method:
            said["methods"][str(row["method"])] = label(cell.method)._asdict()
        if cell.perturbation:
            said["perturbations"][str(row["perturbation"])] = label(cell.perturbation)._asdict()
    return said


def label(choice: Choice) -> Label:
    """A component with the settings that have a place in its name."""
    return Label(
        choice.component.name, {name: setting_text(value) for name, value in choice.named_settings.items()}
    )


def roles(cells: Iterable[Cell]) -> dict[str, dict[str, list[str]]]:
    """The roles in a report of those components that have one, by kind and name."""
    said: dict[str, dict[str, list[str]]] = {"methods": {}, "metrics": {}, "perturbations": {}}
    for cell in cells:
        for kind, choice in zip(said, (cell.method, cell.metric, cell.perturbation), strict=True):
            if choice and choice.component.roles:
                said[kind][choice.component.name] = list(choice.component.roles)
    return said


def sources(dataset: str, cells: Iterable[Cell]) -> dict[str, dict[str, str]]:
    """The source that each component declares, by kind and name; those without one are left out.

    Networks of one recipe have one name here, and data sets no path, as in a list of what ran.
    """
    entry = find_dataset(dataset)[0]
    said: dict[str, dict[str, str]] = {
        "datasets": {entry.name: entry.source}, "models": {}, "methods": {}, "metrics": {},
        "perturbations": {},
    }  # fmt: skip
    for cell in cells:
        said["models"][read_trained(cell.model.name).recipe] = cell.model.source
        for kind, choice in zip(list(said)[2:], (cell.method, cell.metric, cell.perturbation), strict=True):
            if choice:
                said[kind][choice.component.name] = choice.component.source
    return {kind: {name: source for name, source in of.items() if source} for kind, of in said.items()}


def reading(column: Column) -> dict[str, object]:
    """How the values of a column of scores read, ready for JSON."""
    said = {**asdict(column), "range": range_to_json(column.range)}
    del said["reads"]  # how it is computed
    return said
