"""Entropy: over how many pixels the map spreads."""

from math import log

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.pixels import pixel_values


@metric(
    family="complexity",
    higher_is_better=False,
    across_models=True,
    source="Bhatt et al. 2020, arXiv:2005.00631",
    columns={"normalised": Column(higher_is_better=False, across_models=True)},
)
def entropy(attribution: Tensor) -> dict[str, Tensor]:
    """Entropy in nats of the pixels' shares of the total magnitude, ``(B,)``, in ``[0, log P]``; lower is simpler.

    A pixel's magnitude is that of its channel sum. 0 when one of ``P`` pixels holds all, ``log P`` for a constant map
    and, by convention, for an all-zero one. Quantus takes the channels of a pixel apart and adds 1e-12
    in the logarithm.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.

    Returns:
        The entropy; ``normalised``, divided by ``log P``, in ``[0, 1]``; 0 where there is one pixel.
    """
    magnitude = pixel_values(attribution).abs()
    pixels = magnitude.shape[1]
    largest = magnitude.amax(1, keepdim=True)
    scaled = torch.where(largest > 0, magnitude / largest, 1.0)  # a sum of tiny magnitudes may vanish
    nats = torch.special.entr(scaled / scaled.sum(1, keepdim=True)).sum(1).clamp(0, log(pixels))
    return {"": nats, "normalised": nats / log(max(pixels, 2))}
