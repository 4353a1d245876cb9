"""Guard against rare events: what hardly a sample shows says little about how often it happens."""

from __future__ import annotations

import numpy as np

from ..toolkit.score_ranges import ScoreRange

FEWEST = 20
"""Samples on which a score must leave its most frequent value, so that its mean is judged by its spread."""

UNSEEN = 10
"""Samples on which an event may yet happen; a difference counts only if that many could not undo it."""


def guarded(score: np.ndarray, noise: np.ndarray | float = 0.0) -> np.ndarray:
    """Rows that leave their most frequent value on fewer than ``FEWEST`` samples, ``(n, M)`` to bool ``(M,)``.

    Args:
        score: ``(n, M)``.
        noise: differences up to it are rounding, ``(M,)``.
    """
    n = len(score)
    window = n - FEWEST + 1  # as many equal values are more than a row may have
    if window <= 1:
        return np.ones(score.shape[1], dtype=bool)
    ordered = np.sort(score, axis=0)
    return np.any(ordered[window - 1 :] - ordered[: n - window + 1] <= noise, axis=0)


def reach(rows: np.ndarray, weight: np.ndarray, bounds: ScoreRange) -> np.ndarray:
    """How far a difference of means must reach for a claim, ``(M, M)``: 0 where neither row is guarded.

    Args:
        rows: those that are guarded, bool ``(M,)``.
        weight: of each sample, ``(n, M)``.
        bounds: the least and greatest score that a metric can give; without them a guarded row gets no claim.
    """
    width = bounds[1] - bounds[0]
    share = np.abs(weight).max(0, initial=0) / np.abs(weight.sum(0))  # 1 / n without weights
    either = rows[:, None] | rows[None, :]
    return np.where(either, UNSEEN * width * np.maximum(share[:, None], share[None, :]), 0.0)
