"""The files of a run as tables: one row a cell, one row a score, one row a point of a curve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import XaiboardError
from ..toolkit.files import write_file
from ..toolkit.inert import csv_cell, from_csv_cell
from .columns import CELLS, LABEL, SCORES, WORDS


def read_cells(folder: Path) -> pd.DataFrame:
    """``cells.csv``: one row for each planned cell.

    Raises:
        XaiboardError: there is none, or it cannot be read.
    """
    path = folder / "cells.csv"
    if not path.is_file():
        raise XaiboardError(
            f"no run in '{folder}': it has no cells.csv; name a folder that 'xaiboard run' wrote"
        )
    numbers = ("n", "seconds", "forward", "backward")
    words = {name: str for name in CELLS if name not in (*numbers, "control")}
    missing = {name: [""] for name in numbers}
    try:
        return _texts(
            pd.read_csv(path, dtype=words, keep_default_na=False, na_values=missing)[CELLS], from_csv_cell
        )
    except (ValueError, KeyError) as error:
        raise XaiboardError(f"'{path}' is damaged ({error}); restore it or run again") from None


def read_scores(folder: Path) -> pd.DataFrame:
    """``scores.parquet``: one row for each sample of each column of each finished cell.

    Raises:
        XaiboardError: there is none, or it cannot be read.
    """
    path = folder / "scores.parquet"
    try:
        return pq.read_table(path, columns=SCORES).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise XaiboardError(f"'{path}' cannot be read ({error}); restore it or run again") from None


def read_curves(folder: Path) -> pd.DataFrame:
    """``curves.csv``: one row for each point of each mean curve; no rows where the run has none."""
    path = folder / "curves.csv"
    if not path.is_file():
        return pd.DataFrame(columns=LABEL)
    return _texts(pd.read_csv(path, keep_default_na=False), from_csv_cell)


def write_cells(folder: Path, cells: pd.DataFrame) -> None:
    """Replaces ``cells.csv``."""
    table = cells.reindex(columns=CELLS)
    for name in ("n", "forward", "backward"):
        table[name] = pd.to_numeric(table[name]).astype("Int64")
    table["seconds"] = pd.to_numeric(table["seconds"])
    write_file(folder / "cells.csv", lambda path: write_csv(table, path))


def write_scores(folder: Path, scores: pd.DataFrame) -> None:
    """Replaces ``scores.parquet``; words are dictionary-encoded and scores are float32."""
    table = scores[SCORES].reset_index(drop=True)
    for name in WORDS:
        table[name] = table[name].astype(str).astype("category")
    for name in ("score", "weight"):
        table[name] = table[name].astype(np.float32)
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    # A dictionary of scores would be as large as the scores. The annotation of pyarrow knows no list of columns.
    repeated: Any = [name for name in SCORES if name != "score"]
    options = {"compression": "zstd", "compression_level": 12, "use_dictionary": repeated}
    write_file(folder / "scores.parquet", lambda path: pq.write_table(arrow, path, **options))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """A CSV with six significant digits, the same bytes on every system; no text in it starts a formula."""
    inert = _texts(table, csv_cell).rename(columns=lambda name: csv_cell(str(name)))
    inert.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def _texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with its texts changed; numbers are left alone."""
    changed = table.copy(deep=False)
    for name, column in table.select_dtypes(include=["object", "string", "category"]).items():
        changed[name] = column.map(lambda value: change(value) if isinstance(value, str) else value)
    return changed
