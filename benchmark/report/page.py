"""``leaderboard.md``: the sections of a run, one after the other, data set by data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import message
from ..toolkit.inert import markdown_text
from .markdown import markdown
from .results import Results
from .section import Section, sections

Drawn = Mapping[tuple[str, str], Sequence[str]]
"""Names of the figures that were drawn, by section and data set."""


def make_page(results: Results, drawn: Drawn) -> str:
    """The page as Markdown: conditions, legends, the sections of each data set, those of the whole run."""
    shown, parts = set(), []
    for dataset in results.datasets:
        parts.append(f"## {markdown_text(dataset)}\n")
        for section in sections():
            text = "" if section.whole_run else _section(section, results, dataset, drawn)
            if text:
                parts.append(text)
                shown.add(section.name)
    whole = [_section(section, results, "", drawn) for section in sections() if section.whole_run]
    head = f"# Leaderboard\n\n{_conditions(results)}\n"
    legends = [section.legend for section in sections() if section.legend and section.name in shown]
    return "\n".join([head, *legends, *parts, *(text for text in whole if text)])


def _section(section: Section, results: Results, dataset: str, drawn: Drawn) -> str:
    """Heading, note, figures and table of a section; nothing where its table has no rows."""
    heading = f"{'##' if section.whole_run else '###'} {section.title}"
    try:
        table = section.table(results, dataset)
        note = section.note(results, dataset) if len(table) else ""
    except Exception as error:
        if not section.of_plugin:
            raise
        return f"{heading}\n\nThis section failed: {markdown_text(message(error))}\n"
    if not len(table):
        return ""
    figures = ", ".join(f"`{name}`" for name in drawn.get((section.name, dataset), ()))
    blocks = [
        heading,
        note,
        f"Drawn in {figures}." if figures else "",
        markdown(table),
    ]
    return "\n\n".join(block for block in blocks if block)


def _conditions(results: Results) -> str:
    known = ", ".join(f"{name} {markdown_text(str(value))}" for name, value in results.conditions.items())
    counts = results.cells["status"].value_counts()
    states = ", ".join(
        f"{counts[name]} {name}" for name in ("ok", "failed", "inapplicable", "missing") if name in counts
    )
    return (f"Conditions: {known}. " if known else "") + f"Cells: {states}."
