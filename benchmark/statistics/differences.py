"""Differences between rows on the same samples, with intervals that hold for all pairs together."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .means import Means
from .step_down import TIE, critical_value, maxima, scales
from .verdicts import Verdicts, verdicts

POWER = 0.8
"""Probability with which a true difference is to be told apart, where the samples that this takes are counted."""

EACH_OF_TWO = (1 + POWER) / 2
"""If each of two bounds holds with that probability, both do with at least ``POWER``."""


class Differences(NamedTuple):
    """Differences ``mean_j - mean_k`` of ``M`` rows, the greater mean the better.

    Args:
        n: samples behind them.
        mean: of the rows, the greater the better, ``(M,)``.
        effect: ``(M, M)``; 0 where two rows differ by rounding alone.
        error: standard errors, ``(M, M)``.
        low: lower bounds, at 95 % for all pairs together, ``(M, M)``; -inf where nothing can be claimed.
        high: upper bounds.
        better: whether row ``j`` is beyond doubt better than row ``k``, bool ``(M, M)``. It is as in the ranks of the
            same rows. A later step of the test may tell apart what the interval, which is of its first, does not.
        critical: what studentised differences are compared with; intervals reach by :func:`inflated` of it.
        needed: how far a difference must reach besides for a claim, ``(M, M)``.
        maxima: the greatest studentised difference of each draw, ``(B,)``.
    """

    n: int
    mean: np.ndarray
    effect: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    better: np.ndarray
    critical: float
    needed: np.ndarray
    maxima: np.ndarray

    def smallest(self) -> np.ndarray:
        """The smallest true difference that so many samples would tell apart with a power of 80 %, ``(M, M)``."""
        return self.high - self.effect + _quantile(POWER) * self.error

    def samples(self, margin: float = 0.0) -> np.ndarray:
        """How many samples would settle, with a power of 80 %, a true difference as great as the one found, ``(M, M)``.

        To settle is to tell it apart from 0, or to show that it is within the margin, whichever takes fewer samples.
        What a claim needs besides the test falls as samples are added, as ``1 / n``. Infinite for a difference of 0
        without a margin, and where these samples say nothing: too few for any claim, or scores without a range.

        Args:
            margin: differences up to it do not matter.
        """
        size = np.abs(self.effect)
        return np.minimum(self._samples(size, POWER), self._samples(margin - size, EACH_OF_TWO))

    def _samples(self, distance: np.ndarray, power: float) -> np.ndarray:
        """With how many samples an interval's reach, and what a power needs besides, come to a distance."""
        if math.isinf(inflated(self.critical, self.n)):
            return np.full_like(distance, np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = (self.critical + _quantile(power)) * self.error
            by_test = self.n * (reach / distance) ** 2 + self.critical**2
            by_guard = self.n * self.needed / distance
        return np.where(distance > 0, np.ceil(np.fmax(by_test, by_guard)), np.inf)


def differences(
    found: Means, needed: np.ndarray, sums: np.ndarray, told: Verdicts | None = None
) -> Differences:
    """All differences between rows.

    Intervals are what the first step of the test would not reject, were it asked for each possible difference; they
    are never shorter than the test's own critical value says, so that an interval without 0 is a verdict.

    Args:
        found: means, the greater the better, on samples that all rows have.
        needed: how far the difference of two means must reach besides for a claim, ``(M, M)``.
        sums: of the influence under each draw of signs, ``(M, B)``.
        told: who is beyond doubt better than whom, of the same means; None if that has not been asked yet.
    """
    n = len(found.influence)
    told = told or verdicts(found, needed, sums)
    scale = scales(found.influence, found.influence)
    largest = maxima(sums, scale, scale > 0)
    critical = max(critical_value(largest), told.critical) * TIE
    effect = np.where(told.differ, found.mean[:, None] - found.mean[None, :], 0.0)
    with np.errstate(divide="ignore"):
        error = np.where(scale > 0, 1 / scale, 0.0) / n
    low, high = _bounds(found, effect, needed, told.differ, critical)
    return Differences(n, found.mean, effect, error, low, high, told.better, critical, needed, largest)


def more_cautious(one: Differences, found: Means, critical: float) -> Differences:
    """The same differences with longer intervals, which hold together with those of other columns; and their verdicts.

    Args:
        one: differences of a column.
        found: the means that they are between.
        critical: what the largest studentised difference of all columns exceeds with a probability of 5 %.
    """
    critical = max(one.critical, critical * TIE)
    differ = (one.low != 0) | (one.high != 0)
    low, high = _bounds(found, one.effect, one.needed, differ, critical)
    return one._replace(low=low, high=high, better=low > 0, critical=critical)


def _bounds(
    found: Means, effect: np.ndarray, needed: np.ndarray, differ: np.ndarray, critical: float
) -> tuple[np.ndarray, np.ndarray]:
    below = np.where(differ, _below(found, critical), 0.0)
    return effect - np.maximum(below, needed), effect + np.maximum(below.T, needed)


def _below(found: Means, critical: float) -> np.ndarray:
    """How far below the difference of two means the lower bound of their true difference lies, ``(M, M)``.

    A true difference that is ``t`` less than the one found is not rejected while ``n t`` is at most ``critical`` times
    the length of ``e + t w``: of the rows' values as in the test, where ``w`` is the mean weight of the two rows, and
    ``e`` the difference of their influence. That is a quadratic inequality for ``t``. Without weights ``t`` is
    :func:`inflated` times the standard error, on both sides.
    """
    n, rows = found.influence.shape
    below = np.full((rows, rows), np.inf)
    for j in range(rows) if math.isfinite(critical) else ():
        weight = (found.weight[:, j : j + 1] + found.weight) / 2
        rest = found.influence[:, j : j + 1] - found.influence
        square, mixed, heavy = (rest**2).sum(0), (rest * weight).sum(0), (weight**2).sum(0)
        room = (n / critical) ** 2 - heavy
        bounded = room > n * 1e-9
        root = np.sqrt(mixed**2 + np.maximum(room, 0) * square)
        np.divide(mixed + root, room, out=below[j], where=bounded)
    return below


def _quantile(probability: float) -> float:
    """Of the normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def inflated(critical: float, n: int) -> float:
    """By how many standard errors an interval reaches that holds what a test with that critical value does not reject.

    A studentised difference is divided by the length of the differences about 0, not about their mean, so that it is at
    most ``sqrt(n)``.
    """
    return critical / math.sqrt(1 - critical**2 / n) if critical**2 < n else math.inf
