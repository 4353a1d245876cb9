"""The files of a run as tables: one row a cell, one row a score; from the records, or from the files alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import XaiboardError
from ..toolkit.files import write_file
from .records import Record, Store

LABEL = ["dataset", "model", "method", "metric", "settings", "perturbation"]
"""What names a row of a leaderboard."""

CELLS = [
    "key", *LABEL, "family", "metric_family", "method_settings", "model_version", "method_version",
    "metric_version", "perturbation_version", "weights", "samples", "reference", "control", "status", "note", "n",
    "seconds", "forward", "backward",
]  # fmt: skip

SCORES = [
    "dataset", "sample", "model", "family", "method", "metric", "settings", "perturbation", "score", "weight",
    "target", "label", "correct", "seed", "metric_version", "metric_family", "higher_is_better",
    "across_models",
]  # fmt: skip

_WORDS = [
    "dataset", "model", "family", "method", "metric", "settings", "perturbation", "metric_family",
    "higher_is_better",
]  # fmt: skip


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
    before = read_tables(store.folder)
    known = _finished(before[0])
    kept = [(table, by_cell(table)) for table in before[1:]]
    cells, scores, curves = [], [], []
    for row, plan in _rows(before[0], plans):
        cell, records = _state(store, row, plan)
        left = cell["status"] == "missing" and cell["key"] in known  # only the tables are left of it
        cells.append(known[cell["key"]] if left else cell)
        if plan is None or left:
            for (table, places), into in zip(kept, (scores, curves), strict=True):
                into.append(table.iloc[places.get(label_of(row), [])])
            continue
        scores.extend(_score_rows(row, record, plan["columns"], plan["seed"]) for record in records)
        curves.extend(_curve_rows(row, records))
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
    before = read_tables(store.folder)[0]
    known = {key: row for key, row in _finished(before).items() if key in store.taken_over}
    cells = [_state(store, row, plan)[0] for row, plan in _rows(before, plans)]
    return pd.DataFrame(
        [known.get(cell["key"], cell) if cell["status"] == "missing" else cell for cell in cells]
    )


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
    for name in _WORDS:
        table[name] = table[name].astype(str).astype("category")
    for name in ("score", "weight"):
        table[name] = table[name].astype(np.float32)
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    write_file(folder / "scores.parquet", lambda path: pq.write_table(arrow, path, compression="zstd"))


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """A CSV with six significant digits, the same bytes on every system."""
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def read_tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Cells, scores and curves of a folder; empty tables where there are none."""
    if not (folder / "cells.csv").is_file() or not (folder / "scores.parquet").is_file():
        return pd.DataFrame(columns=CELLS), pd.DataFrame(columns=SCORES), pd.DataFrame(columns=LABEL)
    curves = folder / "curves.csv"
    table = pd.read_csv(curves, keep_default_na=False) if curves.is_file() else pd.DataFrame(columns=LABEL)
    return read_cells(folder), read_scores(folder), table


def _finished(cells: pd.DataFrame) -> dict[str, dict[Any, Any]]:
    """Rows of finished cells by key."""
    return {str(row["key"]): row for row in cells.to_dict("records") if row["status"] == "ok"}


def label_of(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """What names a row of ``cells.csv``, as text."""
    return tuple(str(row[name]) for name in LABEL)


def _newest_versions(rows: list[tuple[dict, dict | None]]) -> list[tuple[dict, dict | None]]:
    """Drops rows whose samples, weights or component versions a later row has superseded."""
    parts = [
        ("dataset", "samples"), ("dataset", "reference"), ("model", "family"), ("model", "model_version"),
        ("model", "weights"), ("method", "method_version"),
        ("metric", "metric_version"), ("perturbation", "perturbation_version"),
    ]  # fmt: skip

    def part(row: dict, name: str, value: str) -> tuple[tuple[str, ...], str]:
        component = str(row[name]).partition("[")[0]  # a version is the component's, whatever its settings
        return (row["dataset"], name, component, value), str(row[value])

    newest = dict(part(row, *names) for row, _ in rows for names in parts if row[names[1]] != "")
    return [
        (row, plan)
        for row, plan in rows
        if all(value in ("", newest.get(key)) for key, value in (part(row, *names) for names in parts))
    ]


def _rows(before: pd.DataFrame, plans: list[dict]) -> list[tuple[dict, dict | None]]:
    """Rows that make up the tables, each with its plan; None for a row that only the tables know."""
    rows: dict[tuple[str, ...], tuple[dict, dict | None]]
    rows = {label_of(row): (row, None) for row in before.to_dict("records")}
    for plan in plans:
        for row in plan["cells"]:
            rows.pop(label_of(row), None)  # so that the newest comes last
            rows[label_of(row)] = (row, plan)
    return sorted(_newest_versions(list(rows.values())), key=lambda item: label_of(item[0]))


def _state(store: Store, row: dict, plan: dict | None) -> tuple[dict, list[Record]]:
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


def _score_rows(row: dict, record: Record, columns: Mapping[str, Any], seed: int) -> pd.DataFrame:
    n, names = len(record.sample), list(record.score)
    declared = [columns.get(str(row["metric"]), {}).get(name, {}) for name in names]
    weight = [record.weight.get(name, np.ones(n, np.float32)) for name in names]
    fixed = {name: row[name] for name in LABEL if name != "metric"}
    table = pd.DataFrame(
        {
            "sample": np.tile(record.sample, len(names)),
            "metric": np.repeat([_column(row, name) for name in names], n),
            "score": np.concatenate([record.score[name] for name in names]),
            "weight": np.concatenate(weight),
            "target": np.tile(record.target, len(names)),
            "label": np.tile(record.label, len(names)),
            "correct": np.tile(record.correct, len(names)),
            "higher_is_better": np.repeat(
                [_direction(column.get("higher_is_better")) for column in declared], n
            ),
            "across_models": np.repeat([bool(column.get("across_models")) for column in declared], n),
        }
    )
    return table.assign(
        **fixed,
        family=row["family"],
        metric_family=row["metric_family"],
        metric_version=int(str(row["metric_version"]).partition(".")[0]),
        seed=seed,
    )[SCORES]


def _curve_rows(row: dict, records: list[Record]) -> Iterable[pd.DataFrame]:
    for name in records[0].curve if records else ():
        mean = np.concatenate([record.curve[name] for record in records]).mean(0, dtype=np.float64)
        fixed = {key: row[key] for key in LABEL}
        yield pd.DataFrame({**fixed, "curve": name, "fraction": np.linspace(0, 1, len(mean)), "mean": mean})


def by_cell(table: pd.DataFrame) -> Mapping[Any, Any]:
    """Where the rows of each cell are in a long table, all columns of its metric."""
    words = table[LABEL].astype(str)
    words["metric"] = words["metric"].str.partition(".")[0] if len(words) else words["metric"]
    return words.groupby(LABEL, sort=False).indices


def _column(row: Mapping[str, Any], name: str) -> str:
    return f"{row['metric']}.{name}" if name else str(row["metric"])


def _direction(higher_is_better: bool | None) -> str:
    return "" if higher_is_better is None else str(higher_is_better)
