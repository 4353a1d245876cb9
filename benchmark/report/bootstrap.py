"""Paired bootstrap: intervals and ranks from resamples that are the same for every row of a table."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

RESAMPLES = 2000
"""Resamples behind each interval."""

LEVEL = 0.95
"""Confidence level of intervals and rank intervals."""


@lru_cache(maxsize=8)  # every column of a run has one of a few numbers of samples
def resampled_counts(n: int) -> np.ndarray:
    """How often each of ``n`` samples is drawn in each resample, ``(RESAMPLES, n)``; always the same.

    Drawn from the raw output of a counter-based generator, which is the same in every version of the library.
    """
    drawn = np.random.Philox(key=n).random_raw(RESAMPLES * n).reshape(RESAMPLES, n) % np.uint64(max(n, 1))
    offsets = np.arange(RESAMPLES, dtype=np.int64)[:, None] * n
    flat = np.bincount((drawn.astype(np.int64) + offsets).ravel(), minlength=RESAMPLES * n)
    counts = flat.reshape(RESAMPLES, n).astype(np.float64)
    counts.flags.writeable = False
    return counts


def weighted_means(counts: np.ndarray, score: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means of each resample, ``(R, M)``; NaN where the weights add up to nothing.

    Args:
        counts: draws of each sample, ``(R, N)``; a row of ones gives the mean itself.
        score: ``(N, M)``.
        weight: ``(N, M)``.
    """
    total = counts @ weight
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(total) > 0, (counts @ (score * weight)) / total, np.nan)


def interval(means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval over resamples ``(R, M)``, its bounds ``(M,)`` each; NaN where no resample has a mean."""
    tail = (1 - LEVEL) / 2
    tails = [tail, 1 - tail]
    bounds = np.full((2, means.shape[1]), np.nan)
    whole = ~np.isnan(means).any(0)
    bounds[:, whole] = np.quantile(means[:, whole], tails, axis=0)
    for column in np.flatnonzero(~whole):
        known = means[:, column][~np.isnan(means[:, column])]
        if known.size:
            bounds[:, column] = np.quantile(known, tails)
    return bounds[0], bounds[1]


def p_values(difference: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Two-sided p-values of differences of means, from their resamples, ``(P,)``.

    Args:
        difference: of each resample, ``(R, P)``; a NaN counts as if it contradicted both sides.
        used: samples behind each difference, ``(P,)``. So that few samples cannot give a small p-value, none lies
            below that of a sign test on them.
    """
    tail = np.minimum((~(difference > 0)).sum(0), (~(difference < 0)).sum(0))
    return np.clip(2 * (tail + 1) / (len(difference) + 1), np.minimum(2.0 ** (1 - used), 1.0), 1.0)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values for a family of tests, ``(m,)``."""
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def rank_intervals(
    means: np.ndarray, resampled: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rank of each row, the greatest mean first, and the lowest and highest rank that it may have.

    Row ``a`` is beyond doubt better than row ``b`` if the paired bootstrap of their difference says so at ``LEVEL``,
    after Holm's correction over all pairs of rows. The lowest rank of a row comes after the rows that are beyond doubt
    better, the highest before those that are beyond doubt worse.

    Args:
        means: ``(M,)``, greater is better.
        resampled: means of the resamples, ``(R, M)``; a NaN makes its row less certain to be better, and to be worse.
        used: samples behind each mean, ``(M,)``; of two rows the fewer count, see :func:`p_values`.

    Returns:
        rank, lowest and highest rank, int ``(M,)`` each; equal means share the best of their ranks.
    """
    m = len(means)
    rank = pd.Series(means).rank(method="min", ascending=False).to_numpy(dtype=int)
    first, second = np.triu_indices(m, 1)
    p = p_values(resampled[:, first] - resampled[:, second], np.minimum(used[first], used[second]))
    apart = holm(p) <= 1 - LEVEL
    better = np.zeros((m, m), dtype=bool)  # better[a, b]: a is better than b
    wins = means[first] > means[second]
    better[first, second] = apart & wins
    better[second, first] = apart & ~wins
    return rank, 1 + better.sum(0), m - better.sum(1)
