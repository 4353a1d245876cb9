"""Tables as Markdown, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table, aligned so that it reads as plain text too."""
    if table.empty:
        return "(none)\n"
    lines = [
        list(map(str, table.columns)),
        *([_cell(value) for value in row] for row in table.itertuples(index=False)),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(f"| {' | '.join(_padded(line, widths))} |\n" for line in lines)


def number(value: object) -> str:
    """Three digits of a number, nothing for a missing value, the text of anything else."""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3g}"
    return "" if value is None or value is pd.NA else str(value)


def marked(method: str, controls: Collection[str]) -> str:
    """A method's name, with the sign † if it is a control."""
    return f"{method} †" if method in controls else method


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|")


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [text.ljust(width) for text, width in zip(line, widths, strict=True)]
