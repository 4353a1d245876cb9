"""Effective complexity: how many pixels matter."""

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.errors import SettingError
from ..benchmark.toolkit.pixels import pixel_values


@metric(
    family="complexity",
    higher_is_better=False,
    across_models=True,
    source="Nguyen & Martinez 2020, arXiv:2007.07584; Chalasani et al. 2020, arXiv:1810.06583, share of 1 %",
    columns={"share": Column(higher_is_better=False, across_models=True)},
)
def effective_complexity(attribution: Tensor, *, threshold: float = 0.01) -> dict[str, Tensor]:
    """Pixels whose magnitude is at least ``threshold`` of the map's largest, ``(B,)``, 0 to P; fewer is simpler.

    A pixel's magnitude is that of its channel sum. 0 for an all-zero map, P for a constant one. Nguyen & Martinez count
    the features that a prediction within a tolerance needs; this is their count as Quantus reads it, which takes
    channels apart, compares with 1e-5 and divides by the largest magnitude of all maps of a batch.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
        threshold: share of the largest magnitude.

    Returns:
        The count; ``share``, of the P pixels.

    Raises:
        XaiboardError: ``threshold`` is not above 0 and at most 1.
    """
    if not 0 < threshold <= 1:
        raise SettingError(
            f"setting 'threshold' of 'effective_complexity' must be above 0 and at most 1 (a share of the largest"
            f" magnitude); got '{threshold:g}'"
        )
    magnitude = pixel_values(attribution).abs()
    largest = magnitude.amax(1, keepdim=True)
    matters = torch.where(largest > 0, magnitude / largest >= threshold, False).to(magnitude)
    return {"": matters.sum(1), "share": matters.mean(1)}
