"""Tables as Markdown, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from ..toolkit.inert import markdown_text
from ..toolkit.text_table import text_table

DIRECTION_SIGNS = {"True": "↑", "False": "↓", "": ""}
"""Whether higher or lower is better, by the word of ``higher_is_better``."""


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table, aligned so that it reads as plain text too; what its cells hold is shown, not obeyed."""
    rows = ([markdown_text(str(value)) for value in row] for row in table.itertuples(index=False))
    return text_table([markdown_text(str(name)) for name in table.columns], rows)


def plain(table: pd.DataFrame) -> str:
    """The same table for a terminal."""
    return text_table(list(map(str, table.columns)), table.itertuples(index=False))


def number(value: object) -> str:
    """Three digits of a number, nothing for a missing value, the text of anything else."""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3g}"
    return "" if value is None or value is pd.NA else str(value)


def marked(method: str, controls: Collection[str]) -> str:
    """A method's name, with the sign † if it is a control."""
    return f"{method} †" if method in controls else method
