"""Compares records with the seal of their cells: an edit shows although the record's own digest was computed anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from .cell_digests import cell_digests
from .columns import SCORES
from .damage import DamagedError
from .merging import Row, joined
from .records import Store
from .run_file import read_run, write_run
from .score_rows import score_rows

CHANGED = "it has other scores than those that 'run.json' sealed"


def changed_cells(store: Store, keys: Collection[str]) -> list[str]:
    """Keys of those cells whose records say something else than what was sealed, sorted.

    Cells that are not sealed yet are none of them, nor those whose records are missing or cannot be read. Where several
    plans name a cell, it was sealed as one of them reads it.

    Args:
        store: of the run.
        keys: of the cells that are compared.

    Raises:
        DamagedError: a plan or ``run.json`` is not as it was written.
    """
    run = read_run(store.folder)
    sealed = {} if run is None or run.seal is None else run.seal.cells
    open_keys, seen = sealed.keys() & set(keys), set()
    for plan in reversed(store.plans()) if open_keys else ():
        rows = [row for row in plan["cells"] if row["key"] in open_keys]
        scores = [table for row in rows for table in _scores(store, row, plan)]
        found = cell_digests(pd.DataFrame(rows), joined(scores, SCORES)) if scores else {}
        seen |= found.keys()
        open_keys -= {key for key, digest in found.items() if digest == sealed[key]}
    return sorted(open_keys & seen)


def _scores(store: Store, row: Row, plan: Mapping[str, Any]) -> list[pd.DataFrame]:
    """The scores of a cell as a plan reads them, shard by shard; none where a record is missing or cannot be read."""
    key, shards = str(row["key"]), range(plan["shards"])
    if not store.recorded(key, len(shards)):
        return []
    try:
        records = [store.read_whole(key, shard)[0] for shard in shards]
    except DamagedError:  # who reads it says so
        return []
    return [score_rows(row, record, plan["columns"], plan["seed"]) for record in records]


def require_sealed(store: Store, keys: Collection[str]) -> None:
    """Raises DamagedError if the records of one of the cells say something else than what was sealed."""
    if changed := changed_cells(store, keys):
        path = store.files_of(changed[0])[0]
        raise DamagedError(path, CHANGED, "restore it, or delete it and run again", "record ")


def unseal(store: Store, keys: Collection[str]) -> None:
    """Takes cells out of the seal whose records are written anew, and may round in another way; the lock is held."""
    run = read_run(store.folder)
    if run is None or run.seal is None or run.seal.cells.keys().isdisjoint(keys):
        return
    cells = {key: digest for key, digest in run.seal.cells.items() if key not in set(keys)}
    write_run(store.folder, replace(run, seal=replace(run.seal, cells=cells)))
