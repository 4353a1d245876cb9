"""The records of a run: one Parquet file for each finished cell and shard, written once, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..errors import XaiboardError
from ..toolkit.files import (
    parse_object,
    require_path,
    require_regular,
    short_name,
    sweep,
    write_file,
    write_once,
    writing,
)
from .damage import DamagedError, warn_unverified
from .locks import lock
from .record import Record, from_table, identity_digest, provenance_in, same_scores, to_table
from .run_file import FILE as RUN
from .run_file import SCHEMA, RunFile, Seal, check_conditions, check_schema, read_run
from .seal import OWN
from .sealed_json import read_sealed, sealed_text

__all__ = ["SCHEMA", "Record", "Store"]


class Store:
    """The folder of a run.

    Args:
        folder: made when something is written.

    Raises:
        XaiboardError: no folder can have that name.

    Attributes:
        unverified: whether a record that was read has no digest.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder, self.unverified = Path(folder), False
        self.records = self.folder / "records"
        require_path(self.folder)
        require_path(self.records)

    def open(self, conditions: Mapping[str, object], files: Collection[str] = OWN) -> None:
        """Makes the folder, or checks that its earlier cells were computed under the same conditions.

        Args:
            conditions: what all cells in the folder have in common.
            files: names of all files that will be written there.

        Raises:
            XaiboardError: not writable, of another schema version, other conditions, or files of someone else's.
        """
        self.check_schema()
        self._check_own(files)
        advice = "give another folder with --out, or the same conditions"
        if found := read_run(self.folder):
            check_conditions(found, conditions, self.folder, advice)
        new = RunFile({"schema": SCHEMA, **conditions}, Seal())
        with writing(self.folder):
            self.records.mkdir(parents=True, exist_ok=True)
            sweep(self.folder)
            sweep(self.records)
            write_once(self.folder / RUN, lambda path: path.write_text(new.text, "utf-8"))
        if found := read_run(self.folder):  # another process may have been faster
            check_conditions(found, conditions, self.folder, advice)

    def lock(self, *, reading: bool = False) -> AbstractContextManager[None]:
        """Holds back other processes that would write tables of this folder, see :func:`.locks.lock`."""
        return lock(self.folder, reading=reading)

    def check_schema(self) -> None:
        """Raises XaiboardError if the folder was written by another version of these files."""
        check_schema(self.folder)

    def has(self, key: str, shard: int) -> bool:
        """Whether the record exists."""
        return self._path(key, shard).exists()

    def recorded(self, key: str, shards: int) -> bool:
        """Whether all records of a cell exist."""
        return all(self.has(key, shard) for shard in range(shards))

    def recorded_cells(self) -> set[str]:
        """Keys of the planned cells all of whose records exist.

        Raises:
            DamagedError: a plan is not as it was written.
        """
        planned = [(row["key"], plan["shards"]) for plan in self.plans() for row in plan["cells"]]
        return {key for key, shards in planned if self.recorded(key, shards)}

    def finished(self, keys: Collection[str], shards: int) -> set[str]:
        """Those cells of which all records exist, or whose scores were taken over from the tables of another run."""
        found = {key for key in keys if self.recorded(key, shards)}
        left = set(keys) - found
        if left and (self.folder / "scores.parquet").is_file():
            found |= left & self.taken_over
        return found

    @property
    def taken_over(self) -> frozenset[str]:
        """Keys of cells whose scores are in the tables alone, since they come from another run's tables."""
        path = self._taken_over
        keys = read_sealed(path, self.folder).get("keys") if path.is_file() else []
        if not isinstance(keys, list):
            raise DamagedError(path, "it names no keys", "delete it and run again")
        return frozenset(map(str, keys))

    def note_taken_over(self, keys: Collection[str]) -> None:
        """Adds to the keys in :attr:`taken_over`; that they failed here once no longer matters."""
        self.keep_taken_over({*self.taken_over, *keys})
        for key in keys:
            for path in self.files_of(key, "failed.json"):
                path.unlink(missing_ok=True)

    def keep_taken_over(self, keys: Collection[str]) -> None:
        """Replaces the keys in :attr:`taken_over`."""
        text = sealed_text({"keys": sorted(keys)})
        write_file(self._taken_over, lambda temporary: temporary.write_text(text))

    def write(
        self, key: str, shard: int, record: Record, identity: Mapping[str, Any], provenance: Mapping[str, Any]
    ) -> None:
        """Stores a record once and for all.

        Raises:
            XaiboardError: the disk is full or not writable, or the record exists with other scores.
        """
        table = to_table(record, identity, provenance, shard)
        path = self._path(key, shard)
        with writing(self.folder):
            written = write_once(path, lambda temporary: pq.write_table(table, temporary))
        if not written and not same_scores(record, self.read(key, shard)[0]):
            raise XaiboardError(
                f"'{path}' holds other scores for the same cell; raise the component's version, or delete the file"
            )
        self._failure(key, shard).unlink(missing_ok=True)

    def read(self, key: str, shard: int) -> tuple[Record, dict[str, Any]]:
        """A record and its provenance; warns of records that have no digest.

        Raises:
            DamagedError: the file is not as it was written, or another cell's.
        """
        record, _, provenance, sealed = self.read_whole(key, shard)
        if not sealed:
            self.warn_unverified()
        return record, provenance

    def warn_unverified(self) -> None:
        """Warns that a record has no digest, and keeps that in mind."""
        self.unverified = True
        warn_unverified(self.folder)

    def read_whole(self, key: str, shard: int) -> tuple[Record, dict[str, Any], dict[str, Any], bool]:
        """A record, its identity, its provenance, and whether digests have shown that they are as written.

        Raises:
            DamagedError: they are not, or the file is another cell's.
        """
        path = self._path(key, shard)
        try:
            require_regular(path)
            with pq.ParquetFile(path) as file:
                found = from_table(file.read(), shard)
            if identity_digest(found[1]) != key.rpartition("-")[2]:
                raise ValueError("it holds another cell than its name says")
        except Exception as error:  # a decoder of damaged bytes may raise anything
            raise DamagedError(path, error, "delete it and run again", "record ") from None
        return found

    def provenance(self, key: str, shard: int) -> tuple[dict[str, Any], bool]:
        """The provenance of a record, whose scores are not read, and whether it has a digest.

        Raises:
            DamagedError: it is not as it was written.
        """
        path = self._path(key, shard)
        try:
            require_regular(path)
            return provenance_in(pq.read_metadata(path).metadata or {})
        except Exception as error:  # a decoder of damaged bytes may raise anything
            raise DamagedError(path, error, "delete it and run again", "record ") from None

    def set_record_aside(self, key: str) -> None:
        """Keeps the records of a cell as NAME.unknown, where nothing reads them."""
        for path in self.files_of(key):
            path.replace(path.with_name(f"{path.name}.unknown"))

    def fail(self, key: str, shard: int, message: str, trace: str) -> None:
        """Notes why a cell failed, until it is computed."""
        text = sealed_text({"message": message, "traceback": trace})
        write_file(self._failure(key, shard), lambda temporary: temporary.write_text(text))

    def failure(self, key: str) -> str | None:
        """The message of a cell that failed, or None."""
        for path in self.files_of(key, "failed.json"):
            try:
                return str(read_sealed(path, self.folder).get("message", ""))
            except DamagedError as error:
                return f"why it failed is not known: {error.what}"
        return None

    def plan(self, plan: Mapping[str, object]) -> None:
        """Keeps a plan, what tables need to know of it; the same plan again becomes the newest."""
        text = json.dumps(plan, separators=(",", ":"))
        path = self.records / _plan_name(text.encode())
        with writing(self.folder):
            if not write_once(path, lambda temporary: temporary.write_text(text)):
                os.utime(path)

    def plans(self) -> list[dict[str, Any]]:
        """Plans that ran in this folder, the oldest first.

        Raises:
            DamagedError: one is not as it was written.
        """
        return [read_plan(path) for path in self.plan_files()]

    def plan_files(self) -> list[Path]:
        """The files of :meth:`plans`."""
        paths = self.records.glob(f"plan-{'?' * 16}.json") if self.records.is_dir() else ()
        return sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def files_of(self, key: str, kind: str = "parquet") -> list[Path]:
        """Files of all shards of a cell."""
        return sorted(self.records.glob(f"{stem(key)}-*.{kind}"))

    @property
    def renewed_code(self) -> dict[str, str]:
        """Digests of components' code that records hold, and those that stand for them now."""
        path = self._renewed_code
        return read_sealed(path, self.folder) if path.is_file() else {}

    def note_renewed_code(self, digests: Mapping[str, str]) -> None:
        """Replaces :attr:`renewed_code`."""
        text = sealed_text(dict(sorted(digests.items())))
        write_file(self._renewed_code, lambda temporary: temporary.write_text(text))

    @property
    def _renewed_code(self) -> Path:
        return self.records / "renewed-code.json"

    @property
    def _taken_over(self) -> Path:
        return self.records / "taken-over.json"

    def _path(self, key: str, shard: int) -> Path:
        return self.records / f"{stem(key)}-{shard}.parquet"

    def _failure(self, key: str, shard: int) -> Path:
        return self.records / f"{stem(key)}-{shard}.failed.json"

    def _check_own(self, files: Collection[str]) -> None:
        """Raises XaiboardError if files would be replaced that no run wrote, or a folder is a file, or the reverse."""
        if self.records.exists() and not self.records.is_dir():
            raise XaiboardError(f"'{self.records}' is a file, expected a folder; move it away")
        if folders := [self.folder / name for name in (*files, RUN) if (self.folder / name).is_dir()]:
            raise XaiboardError(f"'{folders[0]}' is a folder, expected a file; move it away")
        taken = [name for name in files if (self.folder / name).exists()]
        if taken and not (self.folder / RUN).exists() and not self.plan_files():
            raise XaiboardError(
                f"'{self.folder}' has a file '{taken[0]}' and no '{RUN}': it is not the folder of a run, and the file"
                " would be replaced; give another folder with --out"
            )


def read_plan(path: Path) -> dict[str, Any]:
    """A plan. Its name holds the digest of its text.

    Raises:
        DamagedError: it is not as it was written.
    """
    try:
        require_regular(path)
        text = path.read_bytes()
        if path.name != _plan_name(text):
            raise ValueError("its text does not fit the digest in its name")
        return parse_object(text)
    except (OSError, ValueError) as error:
        advice = "delete it and run the same selection again: finished cells are kept"
        raise DamagedError(path, error, advice, "plan ") from None


def stem(key: str) -> str:
    """The start of the names of a cell's files: its key, whose first part may be longer than a file's name can be."""
    name, dash, digest = key.rpartition("-")
    return f"{short_name(name)}{dash}{digest}"


def _plan_name(text: bytes) -> str:
    return f"plan-{sha256(text).hexdigest()[:16]}.json"
