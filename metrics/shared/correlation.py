"""Pearson's correlation and the cosine, for a whole batch at once."""

import torch
from torch import Tensor
from torch.linalg import vecdot

from ...benchmark.toolkit.pixels import RESOLUTION


def unit_rows(values: Tensor) -> Tensor:
    """Each row of ``values (B, N)`` divided by its largest magnitude, so that squares neither vanish nor overflow."""
    largest = values.abs().amax(1, keepdim=True)
    return torch.where(largest > 0, values / largest, 0.0)


def pearson(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of the rows of ``a`` and ``b (B, N)``, ``(B,)``, in ``[-1, 1]``.

    It is 0 if a row is constant up to floating-point noise.
    """
    return cosine(_deviations(a), _deviations(b))


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of the angle between the rows of ``a`` and ``b (B, N)``, ``(B,)``; 0 if one of them is zero."""
    first, second = unit_rows(a), unit_rows(b)
    scale = vecdot(first, first).sqrt() * vecdot(second, second).sqrt()
    # a row that is not zero has largest magnitude 1, so only zero rows meet the bound
    return (vecdot(first, second) / scale.clamp_min(0.5)).clamp(-1, 1)


def _deviations(values: Tensor) -> Tensor:
    deviations = unit_rows(values)
    deviations = deviations - deviations.mean(1, keepdim=True)
    return torch.where(deviations.abs().amax(1, keepdim=True) > RESOLUTION, deviations, 0.0)
