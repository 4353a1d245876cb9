"""Digests of the scores of each cell, by which a changed table says which cells were changed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

import numpy as np
import pandas as pd

from ..toolkit.labels import read_metric_column
from .columns import LABEL, WORDS
from .merging import label_of
from .score_runs import Run, runs_of_table

_NUMBERS = ["sample", "target", "label", "correct", "seed", "metric_version", "across_models"]


def cell_digests(cells: pd.DataFrame, scores: pd.DataFrame | Iterable[Run]) -> dict[str, str]:
    """16 hexadecimal digits for each cell that has scores, by its key; the order of its rows does not matter.

    Args:
        cells: ``cells.csv``.
        scores: ``scores.parquet``, as a table or run by run.
    """
    keys = {label_of(row): str(row["key"]) for row in cells[["key", *LABEL]].to_dict("records")}
    parts: dict[str, dict[tuple[str, ...], tuple[int, int]]] = {}
    for run in runs_of_table(scores) if isinstance(scores, pd.DataFrame) else scores:
        words = tuple(str(run.names[name]) for name in WORDS)
        metric = read_metric_column(words[WORDS.index("metric")]).metric
        key = keys.get(label_of(run.names | {"metric": metric}))
        if key is not None:
            seen = parts.setdefault(key, {})
            rows, total = seen.get(words, (0, 0))
            digests = _row_digests(run)
            seen[words] = rows + len(digests), (total + int(digests.sum())) % 2**64
    return {
        key: sha256(json.dumps(sorted(of.items())).encode()).hexdigest()[:16] for key, of in parts.items()
    }


def _row_digests(run: Run) -> np.ndarray:
    """64 bits of each row's numbers, ``(n,)``, which may be added up."""
    score, weight = (
        run.values[name].astype(np.float32).view(np.uint32).astype(np.uint64) for name in ("score", "weight")
    )
    digest = _mixed(score << np.uint64(32) | weight)
    for name in _NUMBERS:
        number = run.values[name].astype(np.int64) if name in run.values else np.int64(run.names[name])
        digest = _mixed(digest + number.view(np.uint64))
    return digest


def _mixed(bits: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele et al. 2014): every bit of the input changes about half of those of the output."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
