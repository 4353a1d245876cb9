"""L2 distance of two maps."""

from math import inf

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column


@metric(
    family="stability",
    higher_is_better=False,
    range=(0, inf),
    source="Alvarez-Melis & Jaakkola 2018, arXiv:1806.08049",
    columns={"relative": Column(higher_is_better=False, across_models=True, range=(0, 1))},
)
def l2_distance(attribution: Tensor, perturbed_attribution: Tensor) -> dict[str, Tensor]:
    """L2 norm of the difference of the signed maps, all channels, in the unit of the maps, ``(B,)``.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.

    Returns:
        The distance. ``relative``: the distance divided by the sum of the two norms; 0 for equal maps, 1 for opposite
        ones, and 1 if exactly one of them is all zero.
    """
    first, second = attribution.flatten(1), perturbed_attribution.flatten(1)
    distance = vector_norm(first - second, dim=1)
    scale = vector_norm(first, dim=1) + vector_norm(second, dim=1)
    relative = distance / scale.clamp_min(torch.finfo(scale.dtype).tiny)
    return {"": distance, "relative": relative.clamp_max(1)}
