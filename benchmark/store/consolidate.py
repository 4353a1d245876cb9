"""From the records of a run to its tables, beside the rows that earlier runs left there."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..toolkit.files import write_file
from .columns import SCORES
from .earlier import EarlierTables
from .merging import Row, merge
from .records import Record, Store
from .score_rows import curve_rows, score_rows
from .tables import read_cells, write_cells, write_csv, write_scores


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
    before = EarlierTables(store.folder)
    known = before.finished
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
    before, taken_over = EarlierTables(store.folder), store.taken_over
    known = before.finished if taken_over else {}
    cells = [_state(store, row, plan)[0] for row, plan in merge(before.cells, plans)]
    return pd.DataFrame(
        [
            known.get(cell["key"], cell)
            if cell["status"] == "missing" and cell["key"] in taken_over
            else cell
            for cell in cells
        ]
    )


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
        notes = {str(provenance["note"]) for _, provenance in parts if "note" in provenance}
        n = sum(len(record.sample) for record in records)
        return {**row, **total, "status": "ok", "note": "; ".join(sorted(notes)), "n": n}, records
    failure = store.failure(key)
    return ({**row, "status": "failed", "note": failure} if failure else row), []
