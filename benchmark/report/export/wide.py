"""The grid as a wide table, for other programs: one row for each method on each model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .grid import ROW, Grid

BESIDE = {"none": [], "ci": ["ci_low", "ci_high"], "rank": ["rank", "rank_low", "rank_high"]}
"""Columns of the leaderboard that stand beside the mean, by the intervals that were asked for."""


def as_table(grid: Grid) -> pd.DataFrame:
    """A column for each metric column, under its full name; what stands beside the mean follows as ``NAME:ci_low``.

    The full name is ``METRIC[SETTINGS]@PERTURBATION``, of the columns of these names in ``leaderboard.csv``.
    """
    index = pd.MultiIndex.from_frame(grid.rows[ROW])
    cells = grid.cells.set_index([*ROW, "column"])
    found = {}
    for name in grid.columns.index:
        own = cells.xs(name, level="column").reindex(index)
        found[name] = own["mean"]
        for beside in BESIDE[grid.selection.intervals]:
            found[f"{name}:{beside}"] = own[beside]
    return pd.DataFrame(found, index=index).reset_index()


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """A Parquet file of the table."""
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path, compression="zstd")
