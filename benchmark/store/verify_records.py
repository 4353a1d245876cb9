"""Compares every file in ``records/`` with its digest, and with what the plans and the seal say of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from .damage import DamagedError
from .known_outputs import part_files, part_path, read_part
from .records import Store, read_plan, stem
from .sealed_cells import CHANGED, changed_cells
from .sealed_json import parse_sealed

UNSEALED = "no digest"
"""What is said of a record without a digest, as earlier versions wrote it."""


def verify_records(store: Store, sealed: Collection[str]) -> Iterator[str]:
    """For each file: what is wrong with it, or nothing.

    Args:
        store: of the run.
        sealed: keys of the cells that the tables have.
    """
    if store.records.exists() and not store.records.is_dir():
        yield f"'{store.records}' is a file, expected a folder"
        return
    plans, parts = store.plan_files(), part_files(store)
    for path in plans:
        yield _damage(lambda path=path: bool(read_plan(path)))
    for path in parts:
        yield _damage(lambda path=path: bool(read_part(path)))
    changed, named = _changed_records(store, sealed), set[Path]()

    def whole(key: str, shard: int) -> bool:
        _, _, provenance, has_digest = store.read_whole(key, shard)
        named.update(part_path(store, digest) for digest in provenance.get("outputs", ()))
        return has_digest

    for path in sorted(store.records.glob("*.parquet")):
        key, _, shard = path.stem.rpartition("-")
        number = int(shard) if shard.isdecimal() else -1
        said = _damage(lambda key=key, number=number: whole(key, number))
        yield f"record '{path}' is damaged ({CHANGED})" if path in changed else said
    yield from (f"'{path}' is missing, which records name" for path in sorted(named - set(parts)))
    for path in sorted({*store.records.glob("*.json")} - {*plans, *parts}):
        yield _damage(lambda path=path: parse_sealed(path, "")[1])
    yield from _missing_records(store, sealed)


def count_unsealed(store: Store, sealed: Collection[str]) -> int:
    """How many records are not of a sealed cell."""
    stems = set(map(stem, sealed))
    return sum(path.stem.rpartition("-")[0] not in stems for path in store.records.glob("*.parquet"))


def _missing_records(store: Store, sealed: Collection[str]) -> Iterator[str]:
    """The records that cells of the tables had when these were sealed; none where a plan cannot be read."""
    try:
        plans, from_tables = store.plans(), store.taken_over
    except DamagedError:
        return  # it has been said of the file
    wanted = {
        (str(row["key"]), shard)
        for plan in plans
        for row in plan["cells"]
        if row["key"] in sealed and row["key"] not in from_tables
        for shard in range(plan["shards"])
    }
    for key, shard in sorted(wanted):
        if not store.has(key, shard):
            yield f"record '{store.records / f'{stem(key)}-{shard}.parquet'}' is missing"


def _changed_records(store: Store, sealed: Collection[str]) -> set[Path]:
    """The records that can be read, but say something else than what was sealed; none where a plan cannot be read."""
    try:
        return {path for key in changed_cells(store, sealed) for path in store.files_of(key)}
    except DamagedError:
        return set()


def _damage(sealed: Callable[[], bool]) -> str:
    """What is wrong with a file, or nothing; ``sealed`` reads it, and returns whether it has a digest."""
    try:
        return "" if sealed() else UNSEALED
    except DamagedError as error:
        return error.what
