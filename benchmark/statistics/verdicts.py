"""Who is beyond doubt better than whom, among rows on the same samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .means import Means
from .signs import flipped_sums, sums_of_signs
from .step_down import Tilt, scales, told_apart


class Verdicts(NamedTuple):
    """What is beyond doubt among ``M`` rows, all claims together at 95 %.

    Args:
        better: whether row ``j`` is beyond doubt better than row ``k``, bool ``(M, M)``.
        differ: whether two rows differ at all, beyond rounding, bool ``(M, M)``.
        critical: what studentised differences were compared with in the first step.
    """

    better: np.ndarray
    differ: np.ndarray
    critical: float


def verdicts(found: Means, needed: np.ndarray, sums: np.ndarray) -> Verdicts:
    """Tests all ordered pairs of rows, by signs of the samples.

    What is summed under each draw of signs is the score, less the middle of the two means, times its weight. Where two
    rows are equally good and have the same weights, a difference of two such values is as often positive as negative,
    whatever the weights; a difference of their influence is not, since the heaviest samples pull their mean towards
    themselves, so that with few samples the test would err several times as often.

    Args:
        found: means, the greater the better, on samples that all rows have.
        needed: how far the difference of two means must reach besides for a claim, ``(M, M)``.
        sums: of the influence under each draw, ``(M, B)``.
    """
    n, number = len(found.influence), sums.shape[1]
    difference = found.mean[:, None] - found.mean[None, :]
    if _shared(found.weight):
        # One middle for all rows changes no difference then; without it, scores far from 0 would lose theirs to
        # rounding.
        level = found.mean - (found.mean.min() + found.mean.max()) / 2 if len(found.mean) else found.mean
        scale = scales(found.influence + found.weight * level, found.influence, noise=found.noise)
        sums, tilt = sums + level[:, None] * _flipped_weights(found.weight[:, :1], number), None
    else:
        by_sample = Tilt(found.mean, found.weight.T)
        scale = scales(found.influence, found.influence, noise=found.noise, tilt=by_sample)
        tilt = Tilt(found.mean, flipped_sums(found.weight)[:, :number])
    better, critical = told_apart(n * difference * scale, sums, scale, tilt)
    return Verdicts(better & (difference > needed), scale > 0, critical)


def _shared(weight: np.ndarray) -> bool:
    """Whether all rows have the same weights."""
    return bool((weight == weight[:, :1]).all())


def _flipped_weights(weight: np.ndarray, number: int) -> np.ndarray:
    """Sums of the weights that all rows share under each draw, ``(B,)``."""
    if not weight.size:
        return np.zeros(number)
    return sums_of_signs(len(weight), number) if (weight == 1).all() else flipped_sums(weight)[0, :number]
