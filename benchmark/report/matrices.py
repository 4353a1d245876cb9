"""Scores as matrices: samples down, rows of the leaderboard across."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..store.columns import LABEL

LEADERBOARD = [
    "dataset", "model", "family", "method", "metric", "settings", "perturbation", "metric_family",
    "higher_is_better", "mean", "ci_low", "ci_high", "n", "rank", "rank_low", "rank_high", "seconds", "status",
    "note",
]  # fmt: skip


COLUMN = ["metric", "settings", "perturbation"]
"""What names a metric column, together with the settings and the perturbation that it ran with."""


class Matrix(NamedTuple):
    """Scores of some rows of a leaderboard on the same samples.

    Args:
        rows: what the columns of ``score`` are, in their order.
        score: ``(N, M)``.
        weight: ``(N, M)``.
    """

    rows: pd.DataFrame
    score: np.ndarray
    weight: np.ndarray


def correct_by_all(scores: pd.DataFrame) -> pd.Series:
    """Whether all models classify a sample correctly, by its number, ascending."""
    return scores.groupby("sample", observed=True)["correct"].all()


def matrices(scores: pd.DataFrame, keys: list[str]) -> Iterator[tuple[tuple[str, ...], Matrix]]:
    """The scores group by group, each as a matrix; all rows of a group have the same samples, sorted by number.

    Args:
        scores: one row for each sample of each row of the leaderboard.
        keys: columns that make the groups.

    Yields:
        The values of the keys, and the matrix.
    """
    labels = scores.groupby(LABEL, observed=True, sort=True).ngroup().to_numpy()
    order = np.lexsort((scores["sample"].to_numpy(), labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    blocks = [slice(*ends) for ends in pairwise([*starts, len(order)])]
    values = {name: scores[name].to_numpy(dtype=np.float64)[order] for name in ("score", "weight")}
    first = scores.iloc[order[starts]]
    fixed = [name for name in LEADERBOARD if name in scores.columns]
    rows = first[fixed].astype(str).assign(first=first.index).reset_index(drop=True)
    for key, group in rows.groupby(keys, sort=True):
        # one row of memory for each row of the table, so that equal rows have means that are equal to the last bit
        score, weight = (
            np.stack([values[name][blocks[row]] for row in group.index]).T for name in ("score", "weight")
        )
        yield tuple(map(str, key)), Matrix(group.reset_index(drop=True), score, weight)
