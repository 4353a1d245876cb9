"""Who is beyond doubt better than whom, among rows on the same samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .means import Means
from .signs import sums_of_signs
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

    What is summed under each draw of signs is influence and mean: with weights, signs of scores would not do, since it
    is the influence that is symmetric where two rows are equally good. One constant is taken off all means; it changes
    no difference, and without it scores far from 0 would lose theirs to rounding.

    Args:
        found: means, the greater the better, on samples that all rows have.
        needed: how far the difference of two means must reach besides for a claim, ``(M, M)``.
        sums: of the influence under each draw, ``(M, B)``.
    """
    n = len(found.influence)
    level = found.mean - (found.mean.min() + found.mean.max()) / 2 if len(found.mean) else found.mean
    values = found.influence + level
    scale = scales(values, found.influence)
    difference = found.mean[:, None] - found.mean[None, :]
    flipped = sums + level[:, None] * sums_of_signs(n, sums.shape[1])
    better, critical = told_apart(n * difference * scale, flipped, scale)
    return Verdicts(better & (difference > needed), scale > 0, critical)
