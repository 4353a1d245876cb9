"""Digests of the scores of each cell, by which a changed table says which cells were changed."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np
import pandas as pd

from ..toolkit.labels import read_metric_column
from .columns import LABEL, WORDS
from .merging import label_of

_NUMBERS = ["sample", "target", "label", "correct", "seed", "metric_version", "across_models"]


def cell_digests(cells: pd.DataFrame, scores: pd.DataFrame) -> dict[str, str]:
    """16 hexadecimal digits for each cell that has scores, by its key; the order of its rows does not matter.

    Args:
        cells: ``cells.csv``.
        scores: ``scores.parquet``.
    """
    keys = {label_of(row): str(row["key"]) for row in cells[["key", *LABEL]].to_dict("records")}
    parts: dict[str, dict[tuple[str, ...], tuple[int, int]]] = {}
    for words, rows, total in _runs(scores):
        metric = read_metric_column(words[WORDS.index("metric")]).metric
        of = dict(zip(WORDS, words, strict=True)) | {"metric": metric}
        key = keys.get(label_of(of))
        if key is not None:
            seen = parts.setdefault(key, {})
            before = seen.get(words, (0, 0))
            seen[words] = before[0] + rows, (before[1] + total) % 2**64
    return {
        key: sha256(json.dumps(sorted(of.items())).encode()).hexdigest()[:16] for key, of in parts.items()
    }


def _runs(scores: pd.DataFrame) -> list[tuple[tuple[str, ...], int, int]]:
    """Consecutive rows that have all words in common: their words, their number, and the sum of their digests."""
    if not len(scores):
        return []
    columns = [scores[name].astype("category").cat for name in WORDS]
    codes = np.stack([column.codes.to_numpy(np.int32) for column in columns])
    starts = np.flatnonzero(np.r_[True, (codes[:, 1:] != codes[:, :-1]).any(0)])
    texts = [list(map(str, column.categories)) for column in columns]
    sums = np.add.reduceat(_row_digests(scores), starts)
    counts = np.diff(np.r_[starts, len(scores)])
    return [
        (tuple(text[code] for text, code in zip(texts, codes[:, start], strict=True)), int(count), int(total))
        for start, count, total in zip(starts, counts, sums, strict=True)
    ]


def _row_digests(scores: pd.DataFrame) -> np.ndarray:
    """64 bits of each row's numbers, ``(n,)``, which may be added up."""
    score, weight = (
        scores[name].to_numpy(np.float32).view(np.uint32).astype(np.uint64) for name in ("score", "weight")
    )
    digest = _mixed(score << np.uint64(32) | weight)
    for name in _NUMBERS:
        digest = _mixed(digest + scores[name].to_numpy().astype(np.int64).view(np.uint64))
    return digest


def _mixed(bits: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele et al. 2014): every bit of the input changes about half of those of the output."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
