"""Tables as Markdown."""

from __future__ import annotations

import pandas as pd

from ..toolkit.text_table import text_table


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table, aligned so that it reads as plain text too."""
    return text_table(list(map(str, table.columns)), table.itertuples(index=False))
