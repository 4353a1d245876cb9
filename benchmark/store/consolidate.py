"""From the records of a run to its tables, beside the rows that earlier runs left there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..errors import warn
from .cell_digests import cell_digests
from .columns import CURVES, SCORES
from .damage import DamagedError
from .earlier import EarlierTables
from .merging import Row, joined, merge
from .records import Record, Store
from .restore import restore_run_file, set_aside
from .run_file import read_run
from .score_rows import curve_rows, score_rows
from .seal import unproven
from .sealed_cells import require_sealed
from .tables import read_cells, seal_as_found, write_tables


def consolidate(store: Store) -> None:
    """Writes ``cells.csv``, ``scores.parquet`` and ``curves.csv`` from the records, and seals them in ``run.json``.

    Cells that ran here before are kept beside the newest plan's, also those of which only the tables are
    left; where two name the same row, or differ in a component's version, the newest plan's stays. Tables that are
    not as they were written are left out, and so is what only they had.
    Without records the files are left as they are, and sealed so if they had no seal.

    Raises:
        XaiboardError: a record that is damaged or has other scores than those that were sealed, or files of another
            schema version.
    """
    restore_run_file(store)
    store.check_schema()
    plans = store.plans()
    before = EarlierTables(store.folder)
    if not plans:
        if before.complete:
            seal_as_found(store.folder)
        return
    if damage := before.drop_damaged():
        set_aside(store, damage)
    known = before.finished
    cells, scores, curves, proven = [], [], [], set()
    samples = _Samples(store)
    for row, plan in merge(before.cells, plans):
        cell, records, sealed = _state(store, row, plan)
        left = cell["status"] == "missing" and cell["key"] in known  # only the tables are left of it
        cells.append(known[cell["key"]] if left else cell)
        if plan is None or left:
            scores.append(before.scores_of(row))
            curves.append(before.curves_of(row))
            continue
        if sealed:
            proven.add(cell["key"])
        samples.compare(row, records)
        scores.extend(score_rows(row, record, plan["columns"], plan["seed"]) for record in records)
        curves.extend(curve_rows(row, records))
    of_cells, of_scores = pd.DataFrame(cells), joined(scores, SCORES)
    digests = cell_digests(of_cells, of_scores)
    require_sealed(store, _other_than_sealed(store, digests))
    unverified = unproven(store.folder, digests.keys() - proven)
    write_tables(store.folder, of_cells, of_scores, joined(curves, CURVES), digests, unverified=unverified)


def _other_than_sealed(store: Store, digests: Mapping[str, str]) -> set[str]:
    """Keys of cells with other digests than in the seal, be it that they are read in another way than before."""
    run = read_run(store.folder)
    sealed = run.seal.cells if run and run.seal else {}
    return {key for key, digest in digests.items() if sealed.get(key, digest) != digest}


def current_cells(store: Store) -> pd.DataFrame:
    """Rows of ``cells.csv`` as the records say now, also while a run goes on; nothing is written.

    Raises:
        XaiboardError: no run in the folder, files of another schema version, or a damaged record.
    """
    plans = store.plans()
    if not plans:
        store.check_schema()
        return read_cells(store.folder)
    before, taken_over = EarlierTables(store.folder), store.taken_over
    if damage := before.drop_damaged():
        warn(f"{damage.what}: cells are shown without it; 'xaiboard leaderboard {store.folder}' repairs it")
    else:
        store.check_schema()
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


class _Samples:
    """The samples of each planned cell, which are the same for all cells that name the same samples."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.known: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def compare(self, row: Row, records: list[Record]) -> None:
        """Raises DamagedError if a cell has other ids or labels than the cells before it."""
        if not records:
            return
        sample, label = (
            np.concatenate([getattr(record, name) for record in records]) for name in ("sample", "label")
        )
        known = self.known.setdefault(str(row["samples"]), (sample, label))
        same = np.array_equal(sample, known[0]) and np.array_equal(label, known[1])
        if not same or len(np.unique(sample)) < len(sample):
            path = self.store.files_of(str(row["key"]))[0]
            raise DamagedError(
                path, "it has other samples than its run", "delete it and run again", "record "
            )


def _state(store: Store, row: Row, plan: dict[str, Any] | None) -> tuple[Row, list[Record], bool]:
    """A row with what became of it, its records if all are there, and whether these carry digests."""
    key = str(row["key"])
    if plan is None or row["status"] == "inapplicable":
        return row, [], False
    shards = plan["shards"]
    if store.recorded(key, shards):
        parts = [store.read_whole(key, shard) for shard in range(shards)]
        total = {name: sum(part[2][name] for part in parts) for name in ("seconds", "forward", "backward")}
        records, sealed = [part[0] for part in parts], all(part[3] for part in parts)
        if not sealed:
            store.warn_unverified()
        notes = {str(part[2]["note"]) for part in parts if "note" in part[2]}
        n = sum(len(record.sample) for record in records)
        return {**row, **total, "status": "ok", "note": "; ".join(sorted(notes)), "n": n}, records, sealed
    failure = store.failure(key)
    return ({**row, "status": "failed", "note": failure} if failure else row), [], False
