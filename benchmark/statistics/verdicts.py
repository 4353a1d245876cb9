"""Who is beyond doubt better than whom, among rows on the same samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .means import Means
from .signs import flipped_sums, sums_of_signs
from .step_down import scales, told_apart


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

    What is summed under each draw of signs is the score, less one constant for all rows, times its weight. Where two
    rows are equally good and have the same weights, a difference of two such values is as often positive as negative,
    whatever the weights; a difference of their influence is not, since the heaviest samples pull their mean towards
    themselves, so that with few samples the test would err several times as often. The constant changes no difference
    between rows of the same weights, and without it scores far from 0 would lose theirs to rounding.

    Args:
        found: means, the greater the better, on samples that all rows have.
        needed: how far the difference of two means must reach besides for a claim, ``(M, M)``.
        sums: of the influence under each draw, ``(M, B)``.
    """
    n = len(found.influence)
    level = levels(found)
    scale = scales(found.influence + found.weight * level, found.influence)
    difference = found.mean[:, None] - found.mean[None, :]
    flipped = sums + level[:, None] * _flipped_weights(found.weight, sums.shape[1])
    better, critical = told_apart(n * difference * scale, flipped, scale)
    return Verdicts(better & (difference > needed), scale > 0, critical)


def levels(found: Means) -> np.ndarray:
    """The means, less the middle between the least and the greatest, which no further row between them moves."""
    return found.mean - (found.mean.min() + found.mean.max()) / 2 if len(found.mean) else found.mean


def _flipped_weights(weight: np.ndarray, number: int) -> np.ndarray:
    if (weight == 1).all():
        return sums_of_signs(len(weight), number)
    return flipped_sums(weight)[:, :number]
