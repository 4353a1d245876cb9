"""Cosine similarity of two maps."""

from torch import Tensor
from torch.linalg import vecdot

from ..benchmark.components.decorators import metric
from .shared.unit import unit


@metric(
    family="stability",
    higher_is_better=True,
    across_models=True,
    range=(-1, 1),
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
