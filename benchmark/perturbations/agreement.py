"""How much two maps agree: what an attack on a map keeps low."""

import torch
from torch import Tensor
from torch.linalg import vecdot, vector_norm

from ..errors import XaiboardError, at_least


def magnitudes(attribution: Tensor) -> Tensor:
    """Sum of magnitudes over channels, ``(B, H, W)``; a vector is an image of one row."""
    total = attribution.abs()
    return total.sum(1) if total.dim() > 2 else total[:, None]


def top_pixels(attribution: Tensor, k: int, perturbation: str) -> Tensor:
    """1 at the ``k`` pixels of largest magnitude, ``(B, H, W)``; ties go to the lowest index.

    Raises:
        XaiboardError: ``k`` is smaller than 1 or greater than the number of pixels.
    """
    at_least(1, perturbation, k=k)
    values = magnitudes(attribution)
    pixels = values[0].numel()
    if k > pixels:
        raise XaiboardError(
            f"setting 'k' of '{perturbation}' must be at most the {pixels} pixels of a map; got '{k}'"
        )
    chosen = values.flatten(1).argsort(dim=1, descending=True, stable=True)[:, :k]
    return torch.zeros_like(values).flatten(1).scatter_(1, chosen, 1.0).view_as(values)


def spearman(a: Tensor, b: Tensor) -> Tensor:
    """Correlation of the ranks of the magnitudes, ``(B,)``; ties are ranked by their index."""
    first, second = (_centred_ranks(magnitudes(each).flatten(1)) for each in (a, b))
    scale = vector_norm(first, dim=1) * vector_norm(second, dim=1)
    return vecdot(first, second) / scale.clamp_min(1)


def mass_centre(values: Tensor) -> Tensor:
    """Row and column of the centre of mass of ``values (B, H, W)``, at least 0, ``(B, 2)``."""
    rows, columns = (torch.arange(side).to(values) for side in values.shape[1:])
    moments = torch.stack([values.sum(2) @ rows, values.sum(1) @ columns], 1)
    return moments / values.sum((1, 2)).clamp_min(torch.finfo(values.dtype).tiny)[:, None]


def _centred_ranks(values: Tensor) -> Tensor:
    order = values.argsort(dim=1, stable=True)
    rank = torch.arange(values.shape[1]).to(values) - (values.shape[1] - 1) / 2
    return torch.empty_like(values).scatter_(1, order, rank.expand_as(values))
