"""Spearman's rank correlation, for a whole batch at once."""

from torch import Tensor
from torch.linalg import vecdot

from ...benchmark.toolkit.pixels import quantise
from .places import places


def average_ranks(values: Tensor) -> Tensor:
    """Ascending ranks from 0 of each row of integers ``(B, N)``; ties share the mean of their ranks."""
    below, upto = places(values)
    return (below + upto - 1) / 2


def spearman(a: Tensor, b: Tensor) -> Tensor:
    """Pearson correlation of the average ranks of ``a`` and ``b (B, N)``, ``(B,)``.

    Values that are equal up to floating-point noise are ties (:func:`~xaiboard.benchmark.toolkit.pixels.quantise`). A
    constant row has no order, and correlation 0.
    """
    middle = (a.shape[1] - 1) / 2
    first, second = (average_ranks(quantise(values)).to(a.dtype) - middle for values in (a, b))
    # the root of the product, not the product of roots: so a row's correlation with itself is exactly 1
    scale = (vecdot(first, first) * vecdot(second, second)).sqrt()
    # deviations of ranks are zero or at least a half, so only constant rows meet the bound
    return (vecdot(first, second) / scale.clamp_min(0.1)).clamp(-1, 1)
