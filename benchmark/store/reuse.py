"""Takes finished cells over from another run, or from published tables, so that they need not be computed again."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..errors import XaiboardError
from ..toolkit.files import require_path, write_once, writing
from .columns import CURVES, SCORES
from .earlier import EarlierTables
from .known_outputs import part_files, read_part
from .merging import Row, joined, label_of
from .records import Store
from .run_file import check_conditions, check_schema, read_run
from .seal import unproven
from .sealed_cells import require_sealed, unseal
from .tables import write_tables

KEPT = ("ok", "inapplicable")
"""States of cells that are worth keeping; what failed or is missing there is computed here."""


@dataclass(frozen=True)
class Wanted:
    """A cell that a run plans.

    Args:
        key: of its records.
        columns: the named columns of scores that its metric declares, as they stand in tables.
    """

    key: str
    columns: frozenset[str]


def take_over(folder: Path, store: Store, wanted: Collection[Wanted], shards: int) -> None:
    """Joins the finished cells of the run in ``folder`` to those in ``store``.

    Records of the wanted cells are copied. All finished rows of the other run's tables are put beside the rows that
    are here; where both have a finished row of the same name, the one here stays, unless the one there is wanted.
    A cell whose records are here is read from them.
    Wanted cells that are whole in the tables (published folders have no records) are noted as finished.

    Args:
        folder: of the other run.
        store: of this run, open.
        wanted: the cells that this run plans.
        shards: number of records that a cell has.

    Raises:
        XaiboardError: files of the other run are not as they were written.
    """
    if folder.resolve() == store.folder.resolve():
        return
    other, keys = Store(folder), {cell.key for cell in wanted}
    with store.lock():
        _copy_records(other, store, [key for key in sorted(keys) if not store.recorded(key, shards)])
        _join_tables(EarlierTables(folder), EarlierTables(store.folder), wanted, store, shards)
        store.note_taken_over(_whole(EarlierTables(store.folder), wanted))


def reusable(folder: Path, wanted: Collection[Wanted], shards: int) -> set[str]:
    """Keys of those wanted cells that :func:`take_over` would find finished in ``folder``."""
    recorded = Store(folder).finished([cell.key for cell in wanted], shards)
    return recorded | _whole(EarlierTables(folder), wanted)


def _whole(tables: EarlierTables, wanted: Collection[Wanted]) -> set[str]:
    """Keys of the wanted cells whose scores are all in the tables; published copies may leave columns out."""
    finished = tables.finished
    return {
        cell.key
        for cell in wanted
        if cell.key in finished
        and cell.columns <= set(tables.scores_of(finished[cell.key])["metric"].unique())
    }


def check_reusable(folder: Path, conditions: Mapping[str, object]) -> None:
    """Refuses to reuse what is no run, or one of other ``conditions``.

    Raises:
        XaiboardError: it is.
    """
    require_path(folder)
    check_schema(folder)
    run = read_run(folder)
    if run is None:
        raise XaiboardError(f"no run to reuse in '{folder}'; name a folder that 'xaiboard run' wrote")
    check_conditions(run, conditions, folder, "reuse a run under the same conditions, or leave --reuse out")


def _copy_records(other: Store, store: Store, keys: Collection[str]) -> None:
    require_sealed(other, keys)
    unseal(store, [key for key in keys if other.files_of(key)])
    with writing(store.folder):
        for path in part_files(other) if keys else ():
            read_part(path)
            write_once(
                store.records / path.name, lambda temporary, path=path: shutil.copyfile(path, temporary)
            )
        for key in keys:
            for path in other.files_of(key):
                other.read(key, int(path.stem.rpartition("-")[2]))  # a damaged one is said, not copied
                write_once(
                    store.records / path.name, lambda temporary, path=path: shutil.copyfile(path, temporary)
                )


def _join_tables(
    other: EarlierTables, here: EarlierTables, wanted: Collection[Wanted], store: Store, shards: int
) -> None:
    """Writes the tables of both runs into the folder of ``here``.

    Wanted cells that are finished there, but not whole, are left to be computed.
    """
    keys = {cell.key for cell in wanted}
    partial = (keys & set(other.finished)) - _whole(other, wanted)
    own = {label_of(row): row for row in _with_scores(here)}
    rows = [
        row
        for row in _with_scores(other)
        if row["key"] not in partial
        and not store.recorded(str(row["key"]), shards)
        and _is_wanted(row, own.get(label_of(row)), keys)
    ]
    if not rows:
        return
    replaced = set(map(label_of, rows))
    stay = [row for label, row in own.items() if label not in replaced]
    parts = [*((here, row) for row in stay), *((other, row) for row in rows)]
    scores, curves, cells = (
        joined([tables.scores_of(row) for tables, row in parts], SCORES),
        joined([tables.curves_of(row) for tables, row in parts], CURVES),
        pd.DataFrame([row for _, row in parts]),
    )
    unverified = {
        key
        for tables, of in ((here, stay), (other, rows))
        for key in unproven(tables.folder, [str(row["key"]) for row in of])
    }
    write_tables(here.folder, cells, scores, curves, unverified=unverified)


def _with_scores(tables: EarlierTables) -> list[Row]:
    """The rows of cells, less those that are said to be finished and have no scores."""
    finished = tables.finished
    return [
        row for row in tables.cells.to_dict("records") if row["status"] != "ok" or str(row["key"]) in finished
    ]


def _is_wanted(row: Row, own: Row | None, keys: Collection[str]) -> bool:
    """Whether a row of the other run is to stand in the tables here, in place of the ``own`` row of that name."""
    if row["status"] not in KEPT:
        return False
    if own is None or own["status"] not in KEPT:
        return True
    return row["key"] in keys and own["key"] != row["key"]
