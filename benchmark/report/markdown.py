"""Tables as Markdown, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from ..toolkit.text_table import text_table

DIRECTION_SIGNS = {"True": "↑", "False": "↓", "": ""}
"""Whether higher or lower is better, by the word of ``higher_is_better``."""


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table, aligned so that it reads as plain text too."""
    return text_table(list(map(str, table.columns)), table.itertuples(index=False))


def number(value: object) -> str:
    """Three digits of a number, nothing for a missing value, the text of anything else."""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3g}"
    return "" if value is None or value is pd.NA else str(value)


def marked(method: str, controls: Collection[str]) -> str:
    """A method's name, with the sign † if it is a control."""
    return f"{method} †" if method in controls else method
