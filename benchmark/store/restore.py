"""What is done about damaged files of a run whose records are whole."""

from __future__ import annotations

from typing import Any

from ..errors import warn
from .damage import DamagedError
from .earlier import NAMES
from .known_outputs import recorded_outputs
from .records import Store
from .run_file import FILE, OUTPUTS, RunFile, read_run, write_run
from .seal import check_sealed
from .versions import VERSIONS, recorded_versions


def restore_run_file(store: Store) -> None:
    """Writes ``run.json`` from the plans and records of a folder, if it cannot be read and they can.

    Raises:
        DamagedError: it is damaged, and no cell has all of its records.
    """
    try:
        if read_run(store.folder) is not None:
            return
        damage = None
    except DamagedError as error:
        damage = error
    conditions = _conditions(store)
    if conditions is not None:
        what = damage.what if damage else f"'{store.folder / FILE}' is missing"
        warn(f"{what}: it is made anew from the records, without a seal of the tables that are there")
        outputs = recorded_outputs(store.folder)
        parts = {VERSIONS: recorded_versions(store), OUTPUTS: outputs}
        known = {name: part for name, part in parts.items() if part}
        write_run(store.folder, RunFile({**conditions, **known}, None))
    elif damage is not None:
        raise damage


def repair(store: Store) -> None:
    """Makes a folder fit to be computed in: what is damaged is set aside, where records make it anew.

    Raises:
        DamagedError: something is damaged, and there are no records.
    """
    restore_run_file(store)
    if read_run(store.folder) is None:
        return
    try:
        for name in NAMES:
            check_sealed(store.folder, name)
    except DamagedError as damage:
        if not store.plans():
            raise
        set_aside(store, damage)


def set_aside(store: Store, damage: DamagedError) -> None:
    """Says that damaged tables are made anew; keeps them under other names where only they had some scores.

    Args:
        store: of the run.
        damage: what is wrong with the tables.
    """
    run = read_run(store.folder)
    sealed = run.seal.cells.keys() if run and run.seal else set()
    lost = (sealed | store.taken_over) - store.recorded_cells()
    text = f"{damage.what}: the tables are made anew from the records"
    if lost or not sealed:
        text += "; the earlier ones are kept as NAME.damaged"
        for name in NAMES:
            if (store.folder / name).exists():
                (store.folder / name).replace(store.folder / f"{name}.damaged")
    if lost:
        text += (
            f", since only they have the scores of {len(lost)} cells, which are left out until they run again"
        )
        store.keep_taken_over(store.taken_over - lost)
    warn(text)


def _conditions(store: Store) -> dict[str, Any] | None:
    """The conditions that a finished cell was computed under; None where there is none."""
    for plan in reversed(store.plans()):
        for row in plan["cells"]:
            shards = range(plan["shards"])
            if store.recorded(row["key"], len(shards)):
                parts = [store.read_whole(row["key"], shard) for shard in shards]
                identity = parts[0][1]
                conditions = {name: identity[name] for name in ("schema", "seed", "target", "dtype")}
                return {**conditions, "samples": sum(len(record.sample) for record, *_ in parts)}
    return None
