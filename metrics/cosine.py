"""Cosine similarity of two maps."""

import torch
from torch import Tensor
from torch.linalg import vecdot, vector_norm

from ..benchmark.components.decorators import metric


@metric(
    family="stability",
    higher_is_better=True,
    across_models=True,
    source="Wang & Kong 2023, arXiv:2303.00340",
)
def cosine(attribution: Tensor, perturbed_attribution: Tensor) -> Tensor:
    """Cosine of the angle between the two signed maps, all channels, ``(B,)``, in ``[-1, 1]``.

    0 if one of the maps is all zero.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
    """
    first, second = (unit(a) for a in (attribution, perturbed_attribution))
    return vecdot(first, second).clamp(-1, 1)


def unit(attribution: Tensor) -> Tensor:
    """The map as a vector of length 1, ``(B, N)``; an all-zero map stays zero."""
    flat, tiny = attribution.flatten(1), torch.finfo(attribution.dtype).tiny
    flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(tiny)  # squares neither vanish nor overflow
    return flat / vector_norm(flat, dim=1, keepdim=True).clamp_min(tiny)
