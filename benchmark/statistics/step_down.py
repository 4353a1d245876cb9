"""Which methods are told apart: a step-down test of all ordered pairs by the maximum of studentised sums.

Mogstad, Romano, Shaikh and Wilhelm 2024, Inference for Ranks, doi 10.1093/restud/rdad006, with signs of samples in the
place of Gaussian draws.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .means import LEVEL

TIE = 1 + 1e-5
"""By which factor a statistic must be beyond the critical value, so that rounding decides nothing."""

_BLOCK = 2**16
"""Sums that are looked at together, so that they stay in a processor's cache."""


class Tilt(NamedTuple):
    """What the means of two rows add to their difference, where rows have weights of their own.

    For a pair ``(j, k)`` that is ``(mean_j - mean_k) / 2`` times the sum of both rows' weights: the scores less the
    middle of the two means, times their weight. The middle of other rows would not do, since it does not cancel.

    Args:
        mean: ``(M,)``.
        weight: of each sample, or their sum under each draw of signs, ``(M, ...)``.
    """

    mean: np.ndarray
    weight: np.ndarray

    def between(self, j: int, others: np.ndarray, part: slice = slice(None)) -> np.ndarray:
        """What is added to the differences of row ``j`` and each of ``others``, ``(len(others), ...)``."""
        half = (self.mean[j] - self.mean[others]) / 2
        return half[:, None] * (self.weight[j, part] + self.weight[others, part])


def scales(
    values: np.ndarray,
    influence: np.ndarray,
    *,
    noise: np.ndarray | float = 0.0,
    tilt: Tilt | None = None,
) -> np.ndarray:
    """One over the length of the difference of each two columns, ``(n, M)`` to ``(M, M)``.

    0 where two columns are equal up to rounding: their difference is short beside the spread of both, or shorter than
    rounding of the values may make it.

    Args:
        values: what is summed for each sample.
        influence: the same without the means, in which columns that differ by a constant are equal.
        noise: how far rounding may move a value, ``(M,)``.
        tilt: what is added to each difference, by sample.
    """
    n, rows = values.shape
    spread, size = (influence**2).sum(0), (values**2).sum(0)
    noise = np.broadcast_to(noise, rows)
    scale = np.zeros((rows, rows))
    for j in range(rows):
        difference = values[:, j : j + 1] - values
        if tilt is not None:
            difference = difference + tilt.between(j, np.arange(rows)).T
        square = (difference**2).sum(0)
        rounding = (
            1e-12 * (spread + spread[j]) + 1e-26 * (size + size[j]) + n * np.maximum(noise, noise[j]) ** 2
        )
        apart = square > rounding
        scale[j, apart] = square[apart] ** -0.5
    return scale


def critical_value(maxima: np.ndarray, level: float = LEVEL) -> float:
    """The value that the maxima of all draws exceed with a probability of at most ``1 - level``."""
    place = math.ceil(level * (len(maxima) + 1))
    return float(np.partition(maxima, place - 1)[place - 1]) if place <= len(maxima) else math.inf


def maxima(sums: np.ndarray, scale: np.ndarray, pairs: np.ndarray, tilt: Tilt | None = None) -> np.ndarray:
    """The largest studentised difference of each draw, ``(B,)``.

    Args:
        sums: of ``M`` columns under each draw, ``(M, B)``.
        scale: of each difference, ``(M, M)``.
        pairs: which ordered pairs count, bool ``(M, M)``.
        tilt: what is added to each difference, by draw.
    """
    rows, count = sums.shape
    block = max(_BLOCK // max(rows, 1), 1)
    largest = np.full(count, -np.inf, dtype=np.float32)
    narrow = scale.astype(np.float32)
    for j in range(rows - 1):
        others = np.flatnonzero(pairs[j] | pairs[:, j])
        others = others[others > j]
        forward, backward = (np.flatnonzero(open_to) for open_to in (pairs[j, others], pairs[others, j]))
        for start in range(0, count, block):
            part = slice(start, start + block)
            apart = sums[j, part] - sums[others, part]
            if tilt is not None:
                apart += tilt.between(j, others, part)
            difference = apart.astype(np.float32) * narrow[j, others, None]
            for chosen, sign in ((forward, 1), (backward, -1)):
                if len(chosen):
                    some = difference if len(chosen) == len(others) else difference[chosen]
                    extreme = some.max(0) if sign > 0 else -some.min(0)
                    np.maximum(largest[part], extreme, out=largest[part])
    return largest


def told_apart(
    statistic: np.ndarray, sums: np.ndarray, scale: np.ndarray, tilt: Tilt | None = None
) -> tuple[np.ndarray, float]:
    """Which ordered pairs ``(j, k)`` are rejected, that is, where ``j`` is beyond doubt better, bool ``(M, M)``.

    Pairs beyond the critical value of the maxima are taken out, their reverses stay, and the rest is looked at again
    until nothing is added.

    Args:
        statistic: the studentised difference of each ordered pair, ``(M, M)``.
        sums: of the columns under each draw, ``(M, B)``.
        scale: of each difference, 0 where two columns are equal, ``(M, M)``.
        tilt: what is added to each difference, by draw.

    Returns:
        the rejected pairs, and the critical value of the first step.
    """
    open_pairs = scale > 0
    rejected = np.zeros_like(open_pairs)
    first = math.inf
    while open_pairs.any():
        critical = critical_value(maxima(sums, scale, open_pairs, tilt))
        first = critical if math.isinf(first) else first
        found = open_pairs & (statistic > critical * TIE)
        if not found.any():
            break
        rejected |= found
        open_pairs &= ~found
    return rejected, first
