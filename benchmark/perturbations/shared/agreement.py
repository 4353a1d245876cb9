"""Measures of how much two maps agree, which attacks on maps make small."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.linalg import vecdot, vector_norm

from ...toolkit.pixels import magnitudes


def spearman_with(a: Tensor) -> Callable[[Tensor], Tensor]:
    """Spearman's correlation of a map's magnitudes with those of ``a``, ``(B,)``; ties are ranked by index."""
    first = _centred_ranks(magnitudes(a).flatten(1))
    size = vector_norm(first, dim=1)

    def correlation(b: Tensor) -> Tensor:
        second = _centred_ranks(magnitudes(b).flatten(1))
        return vecdot(first, second) / (size * vector_norm(second, dim=1)).clamp_min(1)

    return correlation


def mass_centre(values: Tensor) -> Tensor:
    """Row and column of the centre of mass of ``values (B, H, W)``, which are not negative, ``(B, 2)``."""
    rows, columns = (torch.arange(side).to(values) for side in values.shape[1:])
    moments = torch.stack([values.sum(2) @ rows, values.sum(1) @ columns], 1)
    return moments / values.sum((1, 2)).clamp_min(torch.finfo(values.dtype).tiny)[:, None]


def _centred_ranks(values: Tensor) -> Tensor:
    order = values.argsort(dim=1, stable=True)
    rank = torch.arange(values.shape[1]).to(values) - (values.shape[1] - 1) / 2
    return torch.empty_like(values).scatter_(1, order, rank.expand_as(values))
