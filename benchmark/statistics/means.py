"""Weighted means with what each sample adds to them, and intervals of means and of sums of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LEVEL = 0.95
"""Confidence level of all intervals."""

SINGLE, DOUBLE = 2.0**-21, 2.0**-50
"""Rounding of a score, as a share of it: eight times that of one operation on numbers of 24, or of 53 binary digits."""


class Means(NamedTuple):
    """Weighted means of ``M`` rows on the same ``n`` samples.

    Args:
        mean: ``(M,)``; NaN where the weights add up to nothing.
        influence: how far each sample moves each mean, times ``n``: ``w (x - mean) / mean(w)``, ``(n, M)``. Its mean
            is 0, and its variance over ``n`` is that of the mean, also of a ratio of sums.
        used: samples with a weight, ``(M,)``.
        weight: of each sample, over their mean: ``w / mean(w)``, ``(n, M)``.
        noise: how far rounding may move a weighted score, ``(M,)``. The last few of the 24 binary digits with which
            scores are kept differ between machines.
    """

    mean: np.ndarray
    influence: np.ndarray
    used: np.ndarray
    weight: np.ndarray
    noise: np.ndarray


def weighted_mean(score: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means over the first axis of ``(n, M)``, ``(M,)``; NaN where the weights add up to nothing."""
    total = weight.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(total) > 0, (score * weight).sum(0) / total, np.nan)


def means(score: np.ndarray, weight: np.ndarray) -> Means:
    """The means of scores ``(n, M)`` with weights ``(n, M)``, which may be negative, or 0 where a score is missing."""
    weight = np.where(np.isnan(score), 0.0, weight)
    score = np.where(weight == 0, 0.0, score)
    mean = weighted_mean(score, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = weight * (len(weight) / weight.sum(0))
        influence = relative * (score - mean)
    rounding = SINGLE if (score.astype(np.float32) == score).all() else DOUBLE
    noise = rounding * np.abs(relative * score).max(0, initial=0)
    return Means(mean, influence, (weight != 0).sum(0), relative, noise)


def standard_error(influence: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Standard errors of means, or of sums of means, from the sums of their influence, ``(n, M)`` to ``(M,)``.

    Without weights it is that of the mean of ``used`` scores. NaN below two samples.
    """
    used = np.asarray(used, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        correction = np.where(used > 1, used / (used - 1), np.nan)
        return np.sqrt((influence**2).sum(0) * correction) / len(influence)


def interval(mean: np.ndarray, influence: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Student's interval of each mean at ``LEVEL``, its bounds ``(M,)`` each; NaN below two samples.

    Args:
        mean: of ``M`` rows, or sums of such means, ``(M,)``.
        influence: of the same, ``(n, M)``.
        used: samples behind each, ``(M,)``.
    """
    reach = student_quantile(np.maximum(used - 1, 1)) * standard_error(influence, used)
    return mean - reach, mean + reach


def student_quantile(freedom: np.ndarray | float, level: float = LEVEL) -> np.ndarray:
    """The two-sided quantile of Student's distribution at a level."""
    from scipy.special import stdtrit

    return stdtrit(freedom, (1 + level) / 2)
