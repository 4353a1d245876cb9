"""Whether there are enough samples for the skewness of the scores."""

from __future__ import annotations

import math

import numpy as np

from .means import LEVEL

TOLERATED = 0.1
"""Probability of a false claim in a column, above which it is marked."""


def expected_error(influence: np.ndarray, open_pairs: np.ndarray, critical: float) -> float:
    """About how probable a false claim is in a column, which is to be 5 %, for the skewness of its differences.

    The first term of Edgeworth's expansion of a studentised mean says how much more often than by the normal
    distribution a skewed difference of ``n`` samples exceeds the critical value on the one side, and less often on the
    other. Averaged over all pairs, that is by how much the error of the column is greater. Differences of scores that
    are exchangeable between methods have no skewness, however skewed the scores are.
    Hall 1987, Edgeworth expansion for Student's t statistic.

    Args:
        influence: of the compared rows, ``(n, M)``.
        open_pairs: ordered pairs that can be told apart, bool ``(M, M)``.
        critical: the value that a studentised difference is compared with.
    """
    n = len(influence)
    if not open_pairs.any() or not math.isfinite(critical):
        return 1 - LEVEL
    skewness = np.zeros(open_pairs.shape)
    for j in range(influence.shape[1]):
        difference = influence - influence[:, j : j + 1]
        square = difference**2
        variance = square.mean(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            skewness[j] = np.where(variance > 0, (square * difference).mean(0) / variance**1.5, 0.0)
    density = math.exp(-(critical**2) / 2) / math.sqrt(2 * math.pi)
    tail = math.erfc(critical / math.sqrt(2)) / 2
    excess = skewness[open_pairs] * (2 * critical**2 + 1) * density / (6 * math.sqrt(n) * tail)
    return float((1 - LEVEL) * np.maximum(1 + excess, 0).mean())
