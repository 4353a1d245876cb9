"""Effective complexity: how many pixels matter."""

from math import inf
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.pixels import pixel_values


@metric(
    family="complexity",
    higher_is_better=False,
    across_models=True,
    range=(0, inf),
    source="Nguyen & Martinez 2020, arXiv:2007.07584; Chalasani et al. 2020, arXiv:1810.06583, share of 1 %",
    columns={"share": Column(higher_is_better=False, across_models=True, range=(0, 1))},
)
def effective_complexity(
    attribution: Tensor,
    *,
    threshold: Annotated[float, Interval(gt=0, le=1), "a share of the largest magnitude"] = 0.01,
) -> dict[str, Tensor]:
    """Number of pixels with at least ``threshold`` of the map's largest magnitude, ``(B,)``, 0 to P; fewer is simpler.

    The magnitude of a pixel is that of the sum over its channels. An all-zero map scores 0, a constant one P. Nguyen &
    Martinez count how many features a prediction within a tolerance needs. This is their count as Quantus reads it;
    Quantus however counts channels separately, uses a threshold of 1e-5, and divides by the largest magnitude of all
    maps of a batch.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
        threshold: smallest magnitude that counts, as a share of the map's largest.

    Returns:
        The count. ``share``: the count as a share of the P pixels.
    """
    magnitude = pixel_values(attribution).abs()
    largest = magnitude.amax(1, keepdim=True)
    matters = torch.where(largest > 0, magnitude / largest >= threshold, False).to(magnitude)
    return {"": matters.sum(1), "share": matters.mean(1)}
