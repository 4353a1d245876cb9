"""The files of a run as tables: one row a cell, one row a score; from the records, or from the files alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import XaiboardError
from ..toolkit.files import write_file
from ..toolkit.labels import read_metric_column
from .columns import CELLS, LABEL, SCORES, WORDS
from .merging import Row, label_of, merge
from .records import Record, Store
from .score_rows import curve_rows, score_rows


def consolidate(store: Store) -> None:
    """Writes ``cells.csv``, ``scores.parquet`` and ``curves.csv`` from the records.

    Cells that ran here before are kept beside the newest plan's, also those of which only the tables are
    left; where two name the same row, or differ in a component's version, the newest plan's stays.
    Without records the files are left as they are.

    Raises:
        XaiboardError: a damaged record, or files of another schema version.
    """
    store.check_schema()
    plans = store.plans()
    if not plans:
        return
    before = _Before(store.folder)
    known = {row["key"]: row for row in before.cells.to_dict("records") if row["status"] == "ok"}
    cells, scores, curves = [], [], []
    for row, plan in merge(before.cells, plans):
        cell, records = _state(store, row, plan)
        left = cell["status"] == "missing" and cell["key"] in known  # only the tables are left of it
        cells.append(known[cell["key"]] if left else cell)
        if plan is None or left:
            scores.append(before.scores_of(row))
            curves.append(before.curves_of(row))
            continue
        scores.extend(score_rows(row, record, plan["columns"], plan["seed"]) for record in records)
        curves.extend(curve_rows(row, records))
    write_cells(store.folder, pd.DataFrame(cells))
    write_scores(store.folder, pd.concat(scores) if scores else pd.DataFrame(columns=SCORES))
    if any(len(curve) for curve in curves):
        table = pd.concat(curves)
        write_file(store.folder / "curves.csv", lambda path: write_csv(table, path))


def current_cells(store: Store) -> pd.DataFrame:
    """Rows of ``cells.csv`` as the records say now, also while a run goes on; nothing is written.

    Raises:
        XaiboardError: no run in the folder, or files of another schema version.
    """
    store.check_schema()
    plans = store.plans()
    if not plans:
        return read_cells(store.folder)
    before = _Before(store.folder).cells
    return pd.DataFrame([_state(store, row, plan)[0] for row, plan in merge(before, plans)])


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
        return pd.read_csv(path, dtype=words, keep_default_na=False, na_values=missing)[CELLS]
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
    return pd.read_csv(path, keep_default_na=False) if path.is_file() else pd.DataFrame(columns=LABEL)


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
    write_file(folder / "scores.parquet", lambda path: pq.write_table(arrow, path, compression="zstd"))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """A CSV with six significant digits, the same bytes on every system."""
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


class _Before:
    """The tables as an earlier run left them, each read when a row of it is kept; empty where one is absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.complete = all((folder / name).is_file() for name in ("cells.csv", "scores.parquet"))

    @cached_property
    def cells(self) -> pd.DataFrame:
        return read_cells(self.folder) if self.complete else pd.DataFrame(columns=CELLS)

    def scores_of(self, row: Row) -> pd.DataFrame:
        table, places = self._scores
        return table.iloc[places.get(label_of(row), [])]

    def curves_of(self, row: Row) -> pd.DataFrame:
        table, places = self._curves
        return table.iloc[places.get(label_of(row), [])]

    @cached_property
    def _scores(self) -> tuple[pd.DataFrame, Mapping[Any, Any]]:
        table = read_scores(self.folder)
        return table, _places(table)

    @cached_property
    def _curves(self) -> tuple[pd.DataFrame, Mapping[Any, Any]]:
        table = read_curves(self.folder)
        return table, _places(table)


def _places(table: pd.DataFrame) -> Mapping[Any, Any]:
    """Where the rows of each cell are in a long table, those of all columns of its metric."""
    words = table[LABEL].astype(str)
    metrics = {text: read_metric_column(text).metric for text in words["metric"].unique()}
    return words.assign(metric=words["metric"].map(metrics)).groupby(LABEL, sort=False).indices


def _state(store: Store, row: Row, plan: dict[str, Any] | None) -> tuple[Row, list[Record]]:
    """A row with what became of it, and its records if all are there."""
    key = str(row["key"])
    if plan is None or row["status"] == "inapplicable":
        return row, []
    shards = plan["shards"]
    if all(store.has(key, shard) for shard in range(shards)):
        parts = [store.read(key, shard) for shard in range(shards)]
        total = {name: sum(part[1][name] for part in parts) for name in ("seconds", "forward", "backward")}
        records = [record for record, _ in parts]
        return {**row, **total, "status": "ok", "n": sum(len(record.sample) for record in records)}, records
    failure = store.failure(key)
    return ({**row, "status": "failed", "note": failure} if failure else row), []
