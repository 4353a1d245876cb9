"""Other procedures for ranks: with Gaussian draws, as in csranks, and paired resamples with Holm's correction."""

from __future__ import annotations

from functools import cache

import numpy as np
from xaiboard.benchmark.statistics.means import LEVEL, means
from xaiboard.benchmark.statistics.ranks import Column
from xaiboard.benchmark.statistics.signs import DRAWS
from xaiboard.benchmark.statistics.step_down import scales, told_apart

RESAMPLES = 2000


def gaussian(column: Column) -> np.ndarray:
    """Who is better, bool ``(M, M)``: normal draws of centred influence, Mogstad et al. 2024; without the guard."""
    found, n = column.means, len(column.means.influence)
    scale = scales(found.influence, found.influence)
    statistic = n * (found.mean[:, None] - found.mean[None, :]) * scale
    return told_apart(statistic, (_normal(n) @ found.influence).T, scale)[0]


def bootstrap(column: Column, score: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Who is better, bool ``(M, M)``: what boards published before, on samples that all methods have."""
    counts = _counts(len(score))
    total = counts @ weight
    resampled = (counts @ (score * weight)) / total
    mean = means(score, weight).mean
    first, second = np.triu_indices(len(mean), 1)
    difference = resampled[:, first] - resampled[:, second]
    tail = np.minimum((~(difference > 0)).sum(0), (~(difference < 0)).sum(0))
    apart = _holm(np.minimum(2 * (tail + 1) / (RESAMPLES + 1), 1)) <= 1 - LEVEL
    better = np.zeros((len(mean),) * 2, dtype=bool)
    wins = mean[first] > mean[second]
    better[first, second] = apart & wins
    better[second, first] = apart & ~wins
    return better


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = adjusted
    return result


@cache
def _normal(n: int) -> np.ndarray:
    return np.random.default_rng(n).normal(size=(DRAWS, n))


@cache
def _counts(n: int) -> np.ndarray:
    rng = np.random.default_rng(n)
    return rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(float)
