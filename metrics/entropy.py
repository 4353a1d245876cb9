"""Entropy: how widely the map is spread over the pixels."""

from math import inf, log

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.pixels import pixel_values


@metric(
    family="complexity",
    higher_is_better=False,
    across_models=True,
    range=(0, inf),
    source="Bhatt et al. 2020, arXiv:2005.00631",
    columns={"normalised": Column(higher_is_better=False, across_models=True, range=(0, 1))},
)
def entropy(attribution: Tensor) -> dict[str, Tensor]:
    """Entropy, in nats, of the pixels' shares of the total magnitude, ``(B,)``, in ``[0, log P]``; lower is simpler.

    The magnitude of a pixel is that of the sum over its channels. The entropy is 0 if one of the ``P`` pixels holds
    all, and ``log P`` for a constant map and, by convention, for an all-zero one. Quantus counts channels separately,
    and adds 1e-12 in the logarithm.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.

    Returns:
        The entropy. ``normalised``: the entropy divided by ``log P``, in ``[0, 1]``; 0 if there is one pixel.
    """
    magnitude = pixel_values(attribution).abs()
    pixels = magnitude.shape[1]
    largest = magnitude.amax(1, keepdim=True)
    scaled = torch.where(largest > 0, magnitude / largest, 1.0)  # the sum of tiny magnitudes may underflow
    nats = torch.special.entr(scaled / scaled.sum(1, keepdim=True)).sum(1).clamp(0, log(pixels))
    return {"": nats, "normalised": nats / log(max(pixels, 2))}
