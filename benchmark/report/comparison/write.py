"""What a comparison leaves: ``compare.csv``, a page, and what the terminal shows of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ...store.tables import write_csv
from ...toolkit.files import require_ours, write_file
from ...toolkit.terminal import line_width
from ..markdown import markdown
from .ask import Comparison
from .sentences import legend, sentences
from .shown import fitting, footnotes, shown, summary
from .table import COMPARE

CSV, PAGE = "compare.csv", "compare.md"

_MOST_ROWS = 60
"""Rows that a terminal shows one by one; of more it shows how many verdicts there are of each kind."""


_TITLE = "# Is "

_OURS = {CSV: ",".join(COMPARE[:4]), PAGE: _TITLE}
"""How files begin that a comparison wrote, of this version or an earlier one."""


def write_comparison(found: Comparison, folder: Path) -> list[Path]:
    """Writes ``compare.csv`` and ``compare.md``, in the place of those of an earlier comparison; their paths.

    Raises:
        XaiboardError: the folder has such a file of another origin, or it cannot be written to.
    """
    for name, start in _OURS.items():
        require_ours(folder / name, start, "a comparison")
    table, notes = shown(found.table, found.glossary)
    text = f"{_TITLE}{found.side} better?\n\n{_page(found, table, notes)}\n"
    write_file(folder / CSV, lambda path: write_csv(found.table, path))
    write_file(folder / PAGE, lambda path: path.write_text(text, "utf-8"))
    return [folder / CSV, folder / PAGE]


def describe(found: Comparison) -> str:
    """The answer for a terminal: how many verdicts of each kind, what they mean, and the table, as far as it fits."""
    if len(found.table) > _MOST_ROWS:
        other = "model" if found.question.kind == "method" else "method"
        return f"{sentences(found)}\n\n{markdown(summary(found.table, other))}\nEach column is in {PAGE}.\n"
    table, notes = shown(found.table, found.glossary)
    return _page(found, fitting(table, line_width()), notes) + "\n"


def _page(found: Comparison, table: pd.DataFrame, notes: list[str]) -> str:
    parts = [sentences(found), markdown(table).rstrip("\n"), footnotes(notes), legend(found, table)]
    return "\n\n".join(filter(None, parts))
