"""Whether there are enough samples for the skewness of the scores."""

from __future__ import annotations

import math

import numpy as np

from .means import LEVEL

TOLERATED = 0.075
"""Expected error above which a column is marked; docs/explanation/ranks.md says how often that is right."""


def expected_error(influence: np.ndarray, open_pairs: np.ndarray, critical: float) -> float:
    """About how probable a false claim is in a column, which is to be 5 %, for the skewness of its differences.

    A sum of ``n`` differences of skewness ``g``, divided by their length, exceeds a large value ``c``
    ``exp(-c³ g / (3 sqrt(n)))`` times as often as a normal one would, and falls below ``-c`` the inverse of that times
    as often (Wang 2005, Limit theorems for self-normalized large deviation, doi 10.1214/EJP.v10-289). The mean of both
    sides and over all pairs is how many times greater the error of the column is. Differences of scores that are
    exchangeable between methods have no skewness, however skewed the scores are.

    Args:
        influence: of the compared rows, ``(n, M)``.
        open_pairs: pairs that can be told apart, bool ``(M, M)``; ``(j, k)`` and ``(k, j)`` are one pair.
        critical: the value that a studentised difference is compared with.
    """
    pairs = np.triu(open_pairs, 1)
    if not pairs.any() or not math.isfinite(critical):
        return 1 - LEVEL
    exponent = critical**3 / 3 * np.sqrt(squared_skewness(influence, pairs) / len(influence))
    times = np.cosh(np.minimum(exponent, 10))
    return float(np.minimum((1 - LEVEL) * times, 1).mean())


def squared_skewness(influence: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The square of the skewness of each difference between two columns of ``(n, M)``, for each True of ``pairs``.

    Only products of two samples count, so that one sample that lies far off does not make a skewness, and so that the
    estimate is 0 on average where there is none. A negative estimate counts as 0.
    """
    n = len(influence)
    found = []
    for j, others in enumerate(pairs):
        difference = influence[:, others] - influence[:, j : j + 1]
        square = difference**2
        cube = square * difference
        products = cube.sum(0) ** 2 - (cube**2).sum(0)
        variance = square.mean(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(np.where(variance > 0, products / (n * (n - 1)) / variance**3, 0.0))
    return np.maximum(np.concatenate(found), 0.0)
