"""Differences between recipes, of which several trained networks are samples, as images are of their data."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .means import LEVEL, Means, student_quantile

FEWEST_SEEDS = 5
"""Networks of each recipe from which on a bootstrap of networks is long enough."""

RESAMPLES = 2000


class Difference(NamedTuple):
    """How much one mean is above another, with bounds at 95 %.

    Args:
        effect: of the means.
        low: lower bound; NaN where it is not known.
        high: upper bound.
    """

    effect: float
    low: float
    high: float


def recipe_difference(found: Means, one: np.ndarray, other: np.ndarray) -> Difference:
    """The difference between two recipes; both networks and images are drawn anew.

    With fewer than ``FEWEST_SEEDS`` networks of a recipe a bootstrap of them would be too short: then it is Welch's
    interval of the networks' means, with the variance over the images added. Otherwise networks are drawn within each
    recipe, and images for all networks together.

    Args:
        found: means of ``M`` networks on the same ``n`` images.
        one: places of the first recipe's networks.
        other: of the second's.
    """
    effect = float(found.mean[one].mean() - found.mean[other].mean())
    if min(len(one), len(other), len(found.influence)) < 2:
        return Difference(effect, np.nan, np.nan)
    if min(len(one), len(other)) < FEWEST_SEEDS:
        reach = _welch(found, one, other)
        return Difference(effect, effect - reach, effect + reach)
    drawn = _drawn(found, one) - _drawn(found, other)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(effect, float(low), float(high))


def _welch(found: Means, one: np.ndarray, other: np.ndarray) -> float:
    """Half of Welch's interval, with the images as a third source of variance; freedom by Satterthwaite's rule."""
    n = len(found.influence)
    images = found.influence[:, one].mean(1) - found.influence[:, other].mean(1)
    variance = np.array([
        found.mean[one].var(ddof=1) / len(one), found.mean[other].var(ddof=1) / len(other),
        (images**2).sum() / (n * max(n - 1, 1)),
    ])  # fmt: skip
    freedom = np.array([len(one) - 1, len(other) - 1, max(n - 1, 1)])
    total = variance.sum()
    if total == 0:
        return 0.0
    return float(student_quantile(total**2 / (variance**2 / freedom).sum()) * np.sqrt(total))


def _drawn(found: Means, networks: np.ndarray) -> np.ndarray:
    """The mean of a recipe in each resample, ``(RESAMPLES,)``: networks are drawn anew, and images, for all alike."""
    n, seeds = len(found.influence), len(networks)
    counts = _counts(n, key=n)
    of_networks = found.mean[networks] + counts @ found.influence[:, networks] / n
    share = _counts(seeds, key=n + int(networks[0]) + 1) / seeds
    return (share * of_networks).sum(1)


def _counts(n: int, key: int) -> np.ndarray:
    """How often each of ``n`` is drawn in each resample, ``(RESAMPLES, n)``."""
    drawn = np.random.Philox(key=key).random_raw(RESAMPLES * n).reshape(RESAMPLES, n) % np.uint64(n)
    places = drawn.astype(np.int64) + np.arange(RESAMPLES, dtype=np.int64)[:, None] * n
    return np.bincount(places.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n).astype(float)
