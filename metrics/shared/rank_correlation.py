"""Spearman's rank correlation, a whole batch at a time."""

import torch
from torch import Tensor
from torch.linalg import vecdot

from ...benchmark.toolkit.pixels import quantise


def average_ranks(values: Tensor) -> Tensor:
    """Ascending ranks from 0 of each row of integers ``(B, N)``; ties share the mean of their ranks."""
    ascending = values.sort(1).values
    below = torch.searchsorted(ascending, values)
    upto = torch.searchsorted(ascending, values, right=True)
    return (below + upto - 1) / 2


def spearman(a: Tensor, b: Tensor) -> Tensor:
    """Pearson correlation of the average ranks of ``a`` and ``b (B, N)``, ``(B,)``.

    Values equal up to floating-point noise are ties (:func:`~xaiboard.benchmark.pixels.quantise`). A constant
    row orders nothing: its correlation is 0.
    """
    middle = (a.shape[1] - 1) / 2
    first, second = (average_ranks(quantise(values)).to(a.dtype) - middle for values in (a, b))
    # The root of the product, not the product of roots: a row's correlation with itself is then exactly 1.
    scale = (vecdot(first, first) * vecdot(second, second)).sqrt()
    # Deviations of ranks are zero or at least a half, so the bound is met by constant rows alone.
    return (vecdot(first, second) / scale.clamp_min(0.1)).clamp(-1, 1)
