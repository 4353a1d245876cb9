"""The records of a run: one Parquet file for each finished cell and shard, written once, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from ..errors import XaiboardError
from ..toolkit.files import read_json, sweep, write_file, write_once, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 1
"""Version of the files of a run; raised when they change their meaning."""


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
        with writing(self.folder):
            self.records.mkdir(parents=True, exist_ok=True)
            sweep(self.folder)
            sweep(self.records)
            write_once(path, lambda temporary: temporary.write_text(text))
        for name, value in read_json(path).items():
            if wanted.get(name, value) != value:
                raise XaiboardError(
                    f"'{self.folder}' holds a run with {name} {value}, this one has {wanted[name]};"
                    " give another folder with --out, or the same conditions"
                )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds back other processes that would write tables of this folder at the same time.

        A folder without records, such as a published copy, has one writer at most, and needs no lock.
        """
        if not self.records.is_dir():
            yield
            return
        with writing(self.folder), FileLock(self.records / ".lock"):
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

    def finished(self, key: str, shards: int) -> bool:
        """Whether all records of a cell exist, or its scores were taken over from the tables of another run."""
        if all(self.has(key, shard) for shard in range(shards)):
            return True
        return key in self.taken_over and (self.folder / "scores.parquet").is_file()

    @property
    def taken_over(self) -> frozenset[str]:
        """Keys of cells whose scores are in the tables alone, since they come from another run's tables."""
        path = self._taken_over
        return frozenset(read_json(path)["keys"]) if path.is_file() else frozenset()

    def note_taken_over(self, keys: Collection[str]) -> None:
        """Adds to the keys in :attr:`taken_over`; that they failed here once no longer matters."""
        text = json.dumps({"keys": sorted({*self.taken_over, *keys})})
        write_file(self._taken_over, lambda temporary: temporary.write_text(text))
        for key in keys:
            for path in self.records.glob(f"{key}-*.failed.json"):
                path.unlink(missing_ok=True)

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
        with writing(self.folder):
            written = write_once(path, lambda temporary: pq.write_table(table, temporary))
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
        with writing(self.folder):
            write_file(self._failure(key, shard), lambda temporary: temporary.write_text(text))

    def failure(self, key: str) -> str | None:
        """The message of a cell that failed, or None."""
        for path in sorted(self.records.glob(f"{key}-*.failed.json")):
            return read_json(path)["message"]
        return None

    def plan(self, plan: Mapping[str, object]) -> None:
        """Keeps a plan, what tables need to know of it; the same plan again becomes the newest."""
        text = json.dumps(plan, separators=(",", ":"))
        path = self.records / f"plan-{sha256(text.encode()).hexdigest()[:16]}.json"
        with writing(self.folder):
            if not write_once(path, lambda temporary: temporary.write_text(text)):
                os.utime(path)

    def plans(self) -> list[dict[str, Any]]:
        """Plans that ran in this folder, the oldest first."""
        paths = self.records.glob("plan-*.json") if self.records.is_dir() else ()
        return [
            read_json(path) for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))
        ]

    @property
    def renewed_code(self) -> dict[str, str]:
        """Digests of components' code that records hold, and those that stand for them now."""
        path = self._renewed_code
        return read_json(path) if path.is_file() else {}

    def note_renewed_code(self, digests: Mapping[str, str]) -> None:
        """Replaces :attr:`renewed_code`."""
        text = json.dumps(digests, indent=1, sort_keys=True)
        write_file(self._renewed_code, lambda temporary: temporary.write_text(text))

    @property
    def _renewed_code(self) -> Path:
        return self.records / "renewed-code.json"

    @property
    def _taken_over(self) -> Path:
        return self.records / "taken-over.json"

    def _path(self, key: str, shard: int) -> Path:
        return self.records / f"{key}-{shard}.parquet"

    def _failure(self, key: str, shard: int) -> Path:
        return self.records / f"{key}-{shard}.failed.json"


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
