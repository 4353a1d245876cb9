"""Writes what follows from a run's results: tables, the page, figures; no torch, so that a laptop can rebuild them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import message, warn
from ..store.glossary import write_glossary
from ..store.seal import seal_files
from ..store.tables import write_csv
from ..toolkit.files import file_name, write_file
from .drawing.formats import figure_names, formats_of
from .export.croissant import FILE as CROISSANT
from .export.croissant import write_croissant
from .page import make_page
from .results import Results
from .section import Section, sections

if TYPE_CHECKING:
    import pandas as pd

PAGE = "leaderboard.md"


def write(folder: Path, results: Results, figures: str = "png", doing: Callable[[str], object] = str) -> None:
    """Writes and seals the tables and figures of every section, the page of all, and what describes the files.

    A section of a plug-in that raises costs itself: the reason is said, and the rest is written.

    Args:
        folder: of the run.
        results: what is written.
        figures: a format of :data:`.formats.FORMATS` that each figure has beside its PNG; those that the folder has
            from earlier are drawn anew, too.
        doing: is told what is being made, before it is.
    """
    formats = formats_of(folder, figures)
    drawn: dict[tuple[str, str], list[str]] = {}
    of_plugins: dict[str, dict[str, object]] = {}
    for section in sections():
        doing(section.title)
        try:
            tables = _write_tables(folder, section, results)
            if section.of_plugin:  # what built-in ones write is in the dictionary
                of_plugins |= {name: section.describe(table.columns) for name, table in tables.items()}
            for dataset in [""] if section.whole_run else results.datasets:
                drawn[section.name, dataset] = _draw(folder, section, results, dataset, formats)
        except Exception as error:
            if not section.of_plugin:
                raise
            warn(f"section '{section.name}' of the report failed: {message(error)}")
    doing(PAGE)
    write_glossary(folder, results.glossary, results.blocks.rows, of_plugins)
    write_croissant(folder, results)
    page = make_page(results, drawn)
    write_file(folder / PAGE, lambda path: path.write_text(page, "utf-8"))
    seal_files(folder, [*written_names(), *figure_names(folder)])


def written_names() -> list[str]:
    """Names of the files that :func:`write` writes, less figures: the page, the tables of all sections, metadata."""
    return [PAGE, CROISSANT, *(name for section in sections() for name in section.files)]


def _write_tables(folder: Path, section: Section, results: Results) -> dict[str, pd.DataFrame]:
    """Writes the tables of a section; those that there were, by their file's name."""
    made = {name: make(results) for name, make in section.files.items()}
    tables = {name: table for name, table in made.items() if table is not None}
    for name, table in tables.items():
        write_file(folder / name, lambda path, table=table: write_csv(table, path))
    return tables


def _draw(
    folder: Path, section: Section, results: Results, dataset: str, formats: Sequence[str]
) -> list[str]:
    """Draws a section's figures of one data set; the names of those that there were, as PNG."""
    names = []
    for kind, draw in section.figures.items():
        stem = f"{kind}-{file_name(dataset)}" if dataset else kind
        drawn = [draw(results, dataset, folder / f"{stem}.{suffix}") for suffix in formats]
        names.extend([f"{stem}.png"] if drawn[0] else [])
    return names
