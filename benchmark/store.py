"""The records of a run: one write-once Parquet file for each finished cell and shard.

A file is written under a temporary name in the same folder and then linked to its own, so that whatever
kills the process leaves finished records whole and unfinished ones absent.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import XaiboardError

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA = 1
"""Version of the files of a run; raised when they change their meaning."""

_STALE = 3600.0
"""Seconds after which a temporary file is taken to be left over from a killed process."""


@dataclass(frozen=True)
class Record:
    """Per-sample scores of one cell and shard.

    Args:
        sample: ids of the samples.
        target: explained classes; ``label``: true ones; ``correct``: whether the model predicts the label.
        score: ``(n,)`` by column, the plain score's name is empty.
        weight: ``(n,)`` for the columns whose mean is weighted.
        curve: ``(n, S)`` by column.
    """

    sample: np.ndarray
    target: np.ndarray
    label: np.ndarray
    correct: np.ndarray
    score: Mapping[str, np.ndarray]
    weight: Mapping[str, np.ndarray]
    curve: Mapping[str, np.ndarray]


class Store:
    """The folder of a run.

    Args:
        folder: made when something is written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.records = self.folder / "records"

    def open(self, conditions: Mapping[str, object]) -> None:
        """Makes the folder, or checks that its earlier cells were computed under the same conditions.

        Raises:
            XaiboardError: not writable, of another schema version, or other conditions.
        """
        self.check_schema()
        path = self.folder / "run.json"
        wanted = {"schema": SCHEMA, **conditions}
        text = json.dumps(wanted, indent=2) + "\n"
        with _writing(self.folder):
            self.records.mkdir(parents=True, exist_ok=True)
            self._sweep()
            _write_once(path, lambda temporary: temporary.write_text(text))
        for name, value in read_json(path).items():
            if wanted.get(name, value) != value:
                raise XaiboardError(
                    f"'{self.folder}' holds a run with {name} {value}, this one has {wanted[name]};"
                    " give another folder with --out, or the same conditions"
                )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds back other processes that would write tables of this folder at the same time."""
        with _writing(self.folder), (self.records / ".lock").open("w") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def check_schema(self) -> None:
        """Raises XaiboardError if the folder was written by another version of these files."""
        path = self.folder / "run.json"
        if path.is_file() and (found := read_json(path).get("schema")) != SCHEMA:
            raise XaiboardError(
                f"'{self.folder}' has schema version {found}, this xaiboard reads and writes {SCHEMA};"
                " give another folder with --out, or use the version that wrote it"
            )

    def has(self, key: str, shard: int) -> bool:
        """Whether the record exists."""
        return self._path(key, shard).exists()

    def write(
        self, key: str, shard: int, record: Record, identity: Mapping[str, Any], provenance: Mapping[str, Any]
    ) -> None:
        """Stores a record once and for all.

        Raises:
            XaiboardError: the disk is full or not writable, or the record exists with other scores.
        """
        table = _to_table(record).replace_schema_metadata(
            {"identity": json.dumps(identity, sort_keys=True), "provenance": json.dumps(provenance)}
        )
        path = self._path(key, shard)
        with _writing(self.folder):
            written = _write_once(path, lambda temporary: pq.write_table(table, temporary))
        if not written and not same_scores(record, self.read(key, shard)[0]):
            raise XaiboardError(
                f"'{path}' holds other scores for the same cell; raise the component's version, or delete the file"
            )
        self._failure(key, shard).unlink(missing_ok=True)

    def read(self, key: str, shard: int) -> tuple[Record, dict[str, Any]]:
        """A record and its provenance.

        Raises:
            XaiboardError: the file is damaged.
        """
        path = self._path(key, shard)
        try:
            table = pq.read_table(path)
            metadata = table.schema.metadata or {}
            return _from_table(table), json.loads(metadata[b"provenance"])
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise XaiboardError(f"record '{path}' is damaged ({error}); delete it and run again") from None

    def fail(self, key: str, shard: int, message: str, trace: str) -> None:
        """Notes why a cell failed, until it is computed."""
        text = json.dumps({"message": message, "traceback": trace}, indent=2)
        with _writing(self.folder):
            _replace(self._failure(key, shard), lambda temporary: temporary.write_text(text))

    def failure(self, key: str) -> str | None:
        """The message of a cell that failed, or None."""
        for path in sorted(self.records.glob(f"{key}-*.failed.json")):
            return read_json(path)["message"]
        return None

    def plan(self, plan: Mapping[str, object]) -> None:
        """Keeps a plan, what tables need to know of it; the same plan again becomes the newest."""
        text = json.dumps(plan, separators=(",", ":"))
        path = self.records / f"plan-{sha256(text.encode()).hexdigest()[:16]}.json"
        with _writing(self.folder):
            if not _write_once(path, lambda temporary: temporary.write_text(text)):
                os.utime(path)

    def plans(self) -> list[dict[str, Any]]:
        """Plans that ran in this folder, the oldest first."""
        paths = self.records.glob("plan-*.json") if self.records.is_dir() else ()
        return [
            read_json(path) for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))
        ]

    def _path(self, key: str, shard: int) -> Path:
        return self.records / f"{key}-{shard}.parquet"

    def _failure(self, key: str, shard: int) -> Path:
        return self.records / f"{key}-{shard}.failed.json"

    def _sweep(self) -> None:
        """Deletes temporary files of processes that were killed."""
        for path in [*self.folder.glob(".*.tmp"), *self.records.glob(".*.tmp")]:
            if time.time() - path.stat().st_mtime > _STALE:
                path.unlink(missing_ok=True)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Replaces ``path`` as a whole by what ``write`` puts into a temporary file.

    Raises:
        XaiboardError: the disk is full or not writable.
    """
    with _writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, write)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        XaiboardError: the file is damaged.
    """
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise XaiboardError(f"'{path}' is damaged ({error}); delete it and run again") from None


def same_scores(one: Record, other: Record) -> bool:
    """Whether two records agree to rounding (1e-5)."""
    return (
        np.array_equal(one.sample, other.sample)
        and one.score.keys() == other.score.keys()
        and all(
            np.allclose(value, other.score[name], rtol=1e-5, atol=1e-5) for name, value in one.score.items()
        )
    )


def _to_table(record: Record) -> pa.Table:
    columns: dict[str, pa.Array] = {
        name: pa.array(getattr(record, name)) for name in ("sample", "target", "label", "correct")
    }
    for kind in ("score", "weight", "curve"):
        for name, values in getattr(record, kind).items():
            single = np.asarray(values, dtype=np.float32)
            columns[f"{kind}/{name}"] = pa.array(list(single)) if single.ndim > 1 else pa.array(single)
    return pa.table(columns)


def _from_table(table: pa.Table) -> Record:
    def values(kind: str) -> dict[str, np.ndarray]:
        names = [name for name in table.column_names if name.startswith(f"{kind}/")]
        return {name.partition("/")[2]: np.array(table[name].to_pylist(), dtype=np.float32) for name in names}

    sample, target, label, correct = (
        table[name].to_numpy() for name in ("sample", "target", "label", "correct")
    )
    return Record(sample, target, label, correct, values("score"), values("weight"), values("curve"))


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")


def _write_once(path: Path, write: Callable[[Path], object]) -> bool:
    """Writes ``path`` unless it exists; False if it does."""
    if path.exists():
        return False
    temporary = _temporary(path)
    try:
        write(temporary)
        _flush(temporary)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        return True
    finally:
        temporary.unlink(missing_ok=True)


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    temporary = _temporary(path)
    try:
        write(temporary)
        _flush(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turns what the file system refuses into the user's sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise XaiboardError(
            f"cannot write to '{folder}': {reason}; free space or give another folder with --out"
        ) from error
