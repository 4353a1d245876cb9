"""How reliable the order is that a metric gives methods: the same on other samples, the same for each sample?"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

SPLITS = 200
"""Random splits of the samples behind a split-half reliability."""


def exact(values: np.ndarray) -> np.ndarray:
    """``values`` in units of the largest magnitude of their row, rounded to nine digits.

    Sums of the same numbers in another order differ in their last digits; ranks must not tell them apart.
    """
    scale = np.nanmax(np.abs(values), axis=-1, keepdims=True, initial=0)
    return np.round(values / np.where(scale > 0, scale, 1), 9)


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks within each row of ``(S, M)``, 1 for the least; equal values share their mean rank."""
    return pd.DataFrame(exact(values)).rank(axis=1).to_numpy()


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each row of ``a`` with that of ``b``, ``(S, M)`` to ``(S,)``.

    NaN where a value is missing, or a row is constant.
    """
    u, v = (ranks(values) - (values.shape[1] + 1) / 2 for values in (a, b))
    with np.errstate(invalid="ignore"):
        return (u * v).sum(1) / np.sqrt((u * u).sum(1) * (v * v).sum(1))


@lru_cache(maxsize=8)
def halves(n: int) -> np.ndarray:
    """Random halves of ``n`` samples, 1 for those in the first, ``(SPLITS, n)``; always the same."""
    drawn = np.random.Philox(key=n).random_raw(SPLITS * n).reshape(SPLITS, n)
    first = (drawn.argsort(1).argsort(1) < n // 2).astype(np.float64)
    first.flags.writeable = False
    return first


def split_half(first: np.ndarray, second: np.ndarray) -> tuple[float, int]:
    """Mean rank correlation between the orders of the methods on the two halves of random splits.

    It says how reliable half of the samples are; it is not corrected to the whole by the formula of Spearman and Brown.

    Args:
        first: means of ``M`` methods over the one half, ``(SPLITS, M)``.
        second: over the other.

    Returns:
        The mean over those splits in which both halves order the methods, and how many these are.
    """
    correlation = rank_correlation(first, second)
    known = correlation[~np.isnan(correlation)]
    return (float(known.mean()) if len(known) else np.nan), len(known)


def krippendorff(values: np.ndarray) -> float:
    """Krippendorff's alpha for ordinal values of raters (rows) on units (columns), NaN where one is missing.

    1 where all raters agree, 0 where values are as good as drawn at random. The ordinal distance of two values is
    that of their mean ranks among all values, so the sums of squares of these ranks are all it takes. NaN where
    all values are equal. Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    raters = (~np.isnan(values)).sum(0)
    values, raters = values[:, raters > 1], raters[raters > 1]
    if not values.size:
        return np.nan
    rank = pd.Series(values.ravel()).rank().to_numpy().reshape(values.shape)
    n = int(raters.sum())
    total = np.nansum((rank - np.nanmean(rank)) ** 2)
    within = np.nansum((rank - np.nanmean(rank, axis=0)) ** 2, axis=0)
    return float(1 - (n - 1) / n * (raters / (raters - 1) * within).sum() / total) if total > 0 else np.nan


def agreement(score: np.ndarray, weight: np.ndarray) -> tuple[float, int]:
    """Krippendorff's alpha of the samples, as raters, on the ranks of the methods.

    Only samples that have a weight for every method take part. With a negative weight a sample counts for the reverse
    of its order, as it does in the weighted mean.

    Args:
        score: of ``M`` methods, ``(N, M)``.
        weight: ``(N, M)``.

    Returns:
        alpha, and the number of samples that take part.
    """
    signed = score * np.sign(weight)
    rates = (weight != 0).all(1) & ~np.isnan(signed).any(1)
    return krippendorff(ranks(signed[rates])), int(rates.sum())
