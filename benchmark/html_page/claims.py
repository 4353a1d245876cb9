"""The verdicts on claims, for the page: the rows of ``claims.csv`` and ``claims_parts.csv``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ..claims.table import CLAIMS, PARTS
from ..claims.write import TABLE, TABLE_OF_PARTS
from ..errors import warn

Rows = list[dict[str, Any]]


def rows_of(claims: pd.DataFrame, parts: pd.DataFrame) -> dict[str, Rows]:
    """Both tables as the page has them, a row a dictionary, ``None`` where nothing stands."""
    return {"claims": _rows(claims), "parts": _rows(parts)}


def claims_of(folder: Path) -> dict[str, Rows]:
    """The tables that ``xaiboard claims`` left in the folder of a run; empty if it was not asked."""
    if not (folder / TABLE).is_file():
        return {}
    found = []
    for name, columns in ((TABLE, CLAIMS), (TABLE_OF_PARTS, PARTS)):
        try:
            table = pd.read_csv(folder / name, dtype={"id": str, "paper": str})
        except (OSError, ValueError):  # of a table that is no table too
            table = pd.DataFrame()
        if list(table.columns) != columns:
            warn(f"'{folder / name}' is not a table of 'xaiboard claims', and the page has none: judge anew")
            return {}
        found.append(table)
    return rows_of(*found)


def _rows(table: pd.DataFrame) -> Rows:
    known = table.astype(object).where(table.notna() & (table != ""), None)
    return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]
