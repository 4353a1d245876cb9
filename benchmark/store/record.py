"""A record: the scores of one cell on one shard of samples, as a Parquet table that carries its own digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from .score_bounds import beyond_in_record

DIGEST, PROVENANCE_DIGEST = "digest", "provenance digest"
"""Entries of a record's metadata. Records of versions before 0.3 have none of them."""


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


def identity_digest(identity: Mapping[str, Any]) -> str:
    """16 hexadecimal digits, with which the keys of records end."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]


def content_digest(record: Record, identity: Mapping[str, Any], shard: int) -> str:
    """Digest of what a record says: whose scores they are, and every value; not when, where and how fast.

    It does not depend on how the values are laid out in a file: each column counts in little-endian bytes, ids and
    classes as int64, scores as float32 without the sign of zero.
    """
    columns = {name: values + values.dtype.type(0) for name, values in sorted(_columns(record).items())}
    shapes = {name: [values.dtype.str, *values.shape] for name, values in columns.items()}
    digest = sha256(json.dumps([identity, shard, shapes], sort_keys=True).encode())
    for values in columns.values():
        digest.update(values.tobytes())
    return digest.hexdigest()


def to_table(
    record: Record, identity: Mapping[str, Any], provenance: Mapping[str, Any], shard: int
) -> pa.Table:
    """The table of a record, with identity, provenance and digests in its metadata."""
    columns = {
        name: pa.array(list(values)) if values.ndim > 1 else pa.array(values)
        for name, values in _columns(record).items()
    }
    text = json.dumps(provenance)
    metadata = {
        "identity": json.dumps(identity, sort_keys=True),
        "provenance": text,
        DIGEST: content_digest(record, identity, shard),
        PROVENANCE_DIGEST: sha256(text.encode()).hexdigest(),
    }
    return pa.table(columns).replace_schema_metadata(metadata)


def from_table(table: pa.Table, shard: int) -> tuple[Record, dict[str, Any], dict[str, Any], bool]:
    """The record in a table, its identity, its provenance, and whether digests have shown that all are as written.

    Raises:
        ValueError: they are not, or the columns are no record's.
        KeyError: a column or an entry of the metadata is missing.
    """
    metadata = {name.decode(): text for name, text in (table.schema.metadata or {}).items()}
    identity, provenance = json.loads(metadata["identity"]), json.loads(metadata["provenance"])
    if not isinstance(identity, dict) or not isinstance(provenance, dict):
        raise ValueError("its identity or provenance is no JSON object")
    sample, target, label = (_plain(table, name, pa.int64()) for name in ("sample", "target", "label"))
    correct, numbers = _plain(table, "correct", pa.bool_()), _numbers(table)
    record = Record(sample, target, label, correct, numbers["score"], numbers["weight"], numbers["curve"])
    _check(record)
    if beyond := beyond_in_record(record.score, record.sample, identity.get("metric")):
        raise ValueError(beyond)
    if DIGEST not in metadata and PROVENANCE_DIGEST not in metadata:
        return record, identity, provenance, False
    if metadata[DIGEST].decode() != content_digest(record, identity, shard):
        raise ValueError("its content does not fit its digest")
    if not provenance_in(table.schema.metadata)[1]:
        raise ValueError("its provenance has no digest")
    return record, identity, provenance, True


def provenance_in(metadata: Mapping[bytes, bytes]) -> tuple[dict[str, Any], bool]:
    """The provenance of a record, and whether a digest has shown that it is as written.

    Args:
        metadata: of its table.

    Raises:
        ValueError: it is not.
        KeyError: an entry is missing.
    """
    text, digest = metadata[b"provenance"], metadata.get(PROVENANCE_DIGEST.encode())
    if digest is not None and digest.decode() != sha256(text).hexdigest():
        raise ValueError("its provenance does not fit its digest")
    return dict(json.loads(text)), digest is not None


def same_scores(one: Record, other: Record) -> bool:
    """Whether two records agree to rounding (1e-5)."""
    return (
        np.array_equal(one.sample, other.sample)
        and one.score.keys() == other.score.keys()
        and all(
            np.allclose(value, other.score[name], rtol=1e-5, atol=1e-5) for name, value in one.score.items()
        )
    )


def _columns(record: Record) -> dict[str, np.ndarray]:
    """The columns of a record as they are stored, by their full names."""
    columns = {name: np.asarray(getattr(record, name), "<i8") for name in ("sample", "target", "label")}
    columns["correct"] = np.asarray(record.correct, bool)
    for kind in ("score", "weight", "curve"):
        for name, values in getattr(record, kind).items():
            columns[f"{kind}/{name}"] = np.asarray(values, "<f4")
    return columns


def _plain(table: pa.Table, name: str, kind: pa.DataType) -> np.ndarray:
    column = table[name]
    if column.type != kind or column.null_count:
        raise ValueError(f"column '{name}' holds {column.type}, not {kind}")
    return column.to_numpy()


def _numbers(table: pa.Table) -> dict[str, dict[str, np.ndarray]]:
    """The numbers of each kind by the column's name."""
    kinds: dict[str, dict[str, np.ndarray]] = {"score": {}, "weight": {}, "curve": {}}
    for full in table.column_names:
        kind, slash, name = full.partition("/")
        if slash:
            kinds[kind][name] = _floats(table, full, nested=kind == "curve")
    return kinds


def _floats(table: pa.Table, name: str, *, nested: bool) -> np.ndarray:
    """A column of numbers, ``(n,)``, or of rows of them, ``(n, S)``."""
    column: Any = table[name].combine_chunks()
    values = column.flatten() if nested and pa.types.is_list(column.type) else column
    if values.type != pa.float32() or values.null_count or column.null_count:
        raise ValueError(f"column '{name}' holds {column.type}, not float32")
    flat = values.to_numpy(zero_copy_only=False)
    if not nested:
        return flat
    lengths = np.unique(column.value_lengths().to_numpy(zero_copy_only=False))
    if len(lengths) > 1:
        raise ValueError(f"rows of column '{name}' differ in length")
    return flat.reshape(len(column), -1)


def _check(record: Record) -> None:
    """Raises ValueError for values that no run writes."""
    if not len(record.sample) or not record.score:
        raise ValueError("it has no samples or no score")
    if len(np.unique(record.sample)) < len(record.sample):
        raise ValueError("a sample is there twice")
    if min(values.min() for values in (record.sample, record.target, record.label)) < 0:
        raise ValueError("an id or a class is negative")
    for name, values in _columns(record).items():
        if np.isnan(values).any():
            raise ValueError(f"column '{name}' has a value that is no number")
