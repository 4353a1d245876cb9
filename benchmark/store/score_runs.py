"""Scores run by run, as they stand in a table: consecutive rows of one row of the leaderboard, a batch in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..toolkit.files import require_regular
from .columns import WORDS
from .damage import DamagedError

NAMES = [*WORDS, "across_models", "metric_version", "seed"]
"""What all rows of a run have in common; the first nine are words."""

VALUES = ["sample", "score", "weight", "target", "label", "correct"]
"""What each row has for itself."""

ROWS = 2**18
"""Rows of a batch, which bounds the memory."""


class Run(NamedTuple):
    """Consecutive rows that have all names in common.

    Args:
        names: by the column: words as text, ``across_models`` as bool, ``metric_version`` and ``seed`` as int.
        values: by the column, ``(n,)`` each.
    """

    names: dict[str, str | int]
    values: dict[str, np.ndarray]


def runs_of_file(path: Path) -> Iterator[Run]:
    """The runs of a ``scores.parquet``, whatever the seal and the ranges say.

    Raises:
        DamagedError: it cannot be read, or a column is missing.
    """
    try:
        require_regular(path)
        with pq.ParquetFile(path) as file:
            yield from runs(file.iter_batches(ROWS, columns=[*NAMES, *VALUES]))
    except Exception as error:  # a decoder of damaged bytes may raise anything
        raise DamagedError(path, error, "restore it or run again") from None


def runs_of_table(scores: pd.DataFrame) -> Iterator[Run]:
    """The runs of scores that are at hand."""
    columns = {
        name: pa.array(scores[name].astype(str).astype("category"))
        if name in WORDS
        else pa.array(scores[name].to_numpy())
        for name in (*NAMES, *VALUES)
        if name in scores
    }
    return runs(pa.table(columns).to_batches(ROWS) if len(scores) else [])


def runs(batches: Iterable[pa.RecordBatch]) -> Iterator[Run]:
    """The runs of some batches, one by one; torn blocks are put together within a batch."""
    for batch in batches:
        names = [name for name in NAMES if name in batch.schema.names]
        words = {name: _coded(batch.column(name)) for name in names}
        values = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in VALUES}
        codes = {name: word[0] for name, word in words.items()}
        starts = _starts(codes)
        firsts = np.stack([code[starts] for code in codes.values()])
        if len(starts) > 1 and np.unique(firsts, axis=1).shape[1] < len(starts):
            order = np.lexsort(tuple(codes.values()))
            codes = {name: code[order] for name, code in codes.items()}
            values = {name: value[order] for name, value in values.items()}
            starts = _starts(codes)
        for start, end in zip(starts, [*starts[1:], batch.num_rows], strict=True):
            yield Run(
                {name: texts[codes[name][start]] for name, (_, texts) in words.items()},
                {name: value[start:end] for name, value in values.items()},
            )


def _coded(array: pa.Array) -> tuple[np.ndarray, list[str | int]]:
    """A code for each row, and what the codes stand for."""
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return coded.indices.to_numpy(zero_copy_only=False), coded.dictionary.to_pylist()


def _starts(codes: dict[str, np.ndarray]) -> np.ndarray:
    """Where rows begin that differ from the row before."""
    many = [code for code in codes.values() if len(code)]
    changes = np.zeros(max(len(many[0]) - 1, 0), dtype=bool)
    for code in many:
        changes |= code[1:] != code[:-1]
    return np.concatenate([[0], np.flatnonzero(changes) + 1])
