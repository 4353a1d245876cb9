"""Gini index: how strongly the map is concentrated on few pixels."""

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.pixels import pixel_values


@metric(
    family="complexity",
    higher_is_better=True,
    across_models=True,
    range=(0, 1),
    source="Hurley & Rickard 2009, arXiv:0811.4706; Chalasani et al. 2020, arXiv:1810.06583",
)
def gini(attribution: Tensor) -> Tensor:
    """Gini index of the magnitudes of the channel sums, ``(B,)``, in ``[0, 1 - 1/P]``; higher is sparser.

    It is 0 for a constant map and, by convention, for an all-zero one, and ``1 - 1/P`` if one of ``P`` pixels holds
    all.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
    """
    ascending = pixel_values(attribution).abs().sort(1).values
    pixels = ascending.shape[1]
    weight = (pixels - torch.arange(pixels).to(ascending) - 0.5) / pixels
    total = ascending.sum(1).clamp_min(torch.finfo(ascending.dtype).tiny)
    index = 1 - 2 * (ascending / total[:, None] * weight).sum(1)
    return torch.where(ascending[:, -1] > 0, index, 0.0)
