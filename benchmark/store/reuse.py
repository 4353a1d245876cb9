"""Takes finished cells over from another run, or from published tables, so that they need not be computed again."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pandas as pd

from ..errors import XaiboardError
from ..toolkit.files import read_json, write_file, write_once, writing
from .columns import CELLS, LABEL, SCORES
from .earlier import EarlierTables
from .merging import label_of
from .records import Store
from .tables import write_cells, write_csv, write_scores

KEPT = ("ok", "inapplicable")
"""States of cells that are worth keeping; what failed or is missing there is computed here."""


def take_over(folder: Path, store: Store, keys: Collection[str]) -> None:
    """Joins the finished cells of the run in ``folder`` to those in ``store``.

    Records of the cells in ``keys`` are copied. All finished rows of the other run's tables are put beside the rows
    that are here; where both have a row of the same name, the one here stays. Cells in ``keys`` that are only in the
    tables (published folders have no records) are noted as finished.

    Args:
        folder: of the other run.
        store: of this run, open.
        keys: of the cells that this run plans.

    Raises:
        XaiboardError: files of the other run cannot be read.
    """
    if folder.resolve() == store.folder.resolve():
        return
    other = Store(folder)
    with store.lock():
        _copy_records(other, store, keys)
        known = _join_tables(folder, store.folder)
        store.note_taken_over(known & set(keys))


def reusable(folder: Path, keys: Collection[str], shards: int) -> set[str]:
    """Those of the ``keys`` that :func:`take_over` would find finished in ``folder``."""
    other = Store(folder)
    known = EarlierTables(folder).finished
    return {key for key in keys if key in known or other.finished(key, shards)}


def check_reusable(folder: Path, conditions: Mapping[str, object]) -> None:
    """Refuses to reuse what is no run, or one of other ``conditions``.

    Raises:
        XaiboardError: it is.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise XaiboardError(f"no run to reuse in '{folder}'; name a folder that 'xaiboard run' wrote")
    Store(folder).check_schema()
    theirs = read_json(path)
    for name, value in conditions.items():
        if theirs.get(name, value) != value:
            raise XaiboardError(
                f"'{folder}' holds a run with {name} {theirs[name]}, this one has {value}; reuse a run under the same"
                " conditions, or leave --reuse out"
            )


def _copy_records(other: Store, store: Store, keys: Collection[str]) -> None:
    with writing(store.folder):
        for key in sorted(keys):
            for path in sorted(other.records.glob(f"{key}-*.parquet")):
                write_once(
                    store.records / path.name, lambda temporary, path=path: shutil.copyfile(path, temporary)
                )


def _join_tables(folder: Path, own: Path) -> set[str]:
    """Writes the tables of both runs into ``own``; keys of the finished cells that came from ``folder``."""
    other, here = EarlierTables(folder), EarlierTables(own)
    taken = {label_of(row) for row in here.cells.to_dict("records")}
    rows = [
        row for row in other.cells.to_dict("records") if row["status"] in KEPT and label_of(row) not in taken
    ]
    if not rows:
        return set()
    scores = _join([here.scores, *map(other.scores_of, rows)], SCORES)
    curves = _join([here.curves, *map(other.curves_of, rows)], LABEL)
    write_cells(own, _join([here.cells, pd.DataFrame(rows)], CELLS))
    write_scores(own, scores)
    if len(curves):
        write_file(own / "curves.csv", lambda path: write_csv(curves, path))
    return {str(row["key"]) for row in rows if row["status"] == "ok"}


def _join(tables: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """One table below the other; those without rows have no types, and are left out."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled) if filled else pd.DataFrame(columns=columns)
