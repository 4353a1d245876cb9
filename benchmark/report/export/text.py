"""The grid as a table for readers, in Markdown and in LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from ...toolkit.inert import markdown_text
from ...toolkit.latex import latex_number, latex_text
from ...toolkit.text_table import text_table
from ..markdown import DIRECTION_SIGNS, marked, number
from .caption import caption
from .grid import ROW, Grid

_HEADINGS = {"dataset": "Data set", "model": "Model", "method": "Method"}

NOTHING = "–"
"""Stands where there is no score."""


class _Style(NamedTuple):
    """How a kind of document writes: text that is only shown, numbers (as text), and what stands out."""

    text: Callable[[str], str]
    number: Callable[[str], str]
    bold: Callable[[str], str]


def as_markdown(grid: Grid) -> str:
    """A Markdown table below its caption."""
    style = _Style(markdown_text, str, lambda shown: f"**{shown}**")
    header, *rows = _lines(grid, style)
    return f"{markdown_text(caption(grid))}\n\n{text_table(header, rows)}"


def as_latex(grid: Grid) -> str:
    """A LaTeX table for the package ``booktabs``, with its caption."""
    style = _Style(latex_text, latex_number, lambda shown: f"\\textbf{{\\boldmath {shown}}}")
    header, *rows = (f"{' & '.join(line)} \\\\" for line in _lines(grid, style))
    names = len(grid.shown_names)
    return "\n".join(
        [
            "% Needs \\usepackage{booktabs}.",
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{latex_text(caption(grid))}}}",
            f"\\begin{{tabular}}{{{'l' * names}{'r' * len(grid.columns)}}}",
            "\\toprule",
            header,
            "\\midrule",
            *rows,
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table}\n",
        ]
    )


def _lines(grid: Grid, style: _Style) -> list[list[str]]:
    """The heading, then the rows: names, and a text for each metric column."""
    signs = grid.columns["higher_is_better"].map(DIRECTION_SIGNS)
    headings = [f"{short} {sign}".rstrip() for short, sign in zip(grid.columns["short"], signs, strict=True)]
    lines = [[*(_HEADINGS[name] for name in grid.shown_names), *map(style.text, headings)]]
    cells = {tuple(cell[name] for name in (*ROW, "column")): cell for cell in grid.cells.to_dict("records")}
    for row in grid.rows.to_dict("records"):
        names = {**row, "method": marked(row["method"], [row["method"]] if row["control"] else [])}
        key = tuple(row[name] for name in ROW)
        found = [_cell(cells.get((*key, column)), grid, style) for column in grid.columns.index]
        lines.append([*(style.text(names[name]) for name in grid.shown_names), *found])
    return lines


def _cell(cell: Mapping[Hashable, Any] | None, grid: Grid, style: _Style) -> str:
    """The mean, with what was asked for beside it."""
    if cell is None or pd.isna(cell["mean"]):
        return style.text(NOTHING)
    mean = style.number(number(cell["mean"]))
    shown = style.bold(mean) if grid.tells_best and cell["best"] else mean
    match grid.selection.intervals:
        case "ci":
            low, high = (style.number(number(cell[name])) for name in ("ci_low", "ci_high"))
            return f"{shown} ({low} to {high})" if low else shown
        case "rank" if not pd.isna(cell["rank"]):
            low, high = cell["rank_low"], cell["rank_high"]
            ranks = f"{low}" if low == high else f"{low}–{high}"
            return f"{shown} {style.text(f'({ranks})' + (' ≈' if cell['doubtful'] else ''))}"
    return shown
