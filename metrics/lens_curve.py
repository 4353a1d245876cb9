"""LENS recall at every window: how near the top pixels of the perturbed map are to those of the original map."""

from math import inf

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.per_side import sized, so_many_pixels
from ..benchmark.toolkit.top_pixels import PixelCount, top_pixels
from .shared.distance import chebyshev_distance
from .shared.overlap import overlap_columns


@metric(
    family="stability",
    higher_is_better=True,
    range=(0, 1),
    source="Kamath et al. 2024, arXiv:2312.10534, for all windows",
    columns={**overlap_columns(), "distance": Column(higher_is_better=False, range=(0, inf))},
    images=True,
)
def lens_curve(
    attribution: Tensor, perturbed_attribution: Tensor, *, k: PixelCount = so_many_pixels(100.0)
) -> dict[str, Tensor]:
    """Area under :func:`~xaiboard.metrics.lens.lens_recall` as a function of the window, ``(B,)``, in ``[0, 1]``.

    Recall at a window is the share of perturbed top pixels whose Chebyshev distance to the original set is at most the
    window. The area from window 0 to the longest distance in the map is therefore 1 minus the mean distance, divided by
    the longest one.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: number of pixels in a set or, below 1, their share of the pixels.

    Returns:
        The area. ``chance``: the area for a random perturbed set. ``above_chance``: the area on a scale from 0 at
        chance to 1 at full agreement, which is 1 minus the ratio of the mean distances. ``distance``: the mean
        distance, in pixels. ``ties``: share of a set that has the same magnitude as a pixel outside the set, in the map
        where it is larger. ``curve`` and ``chance_curve``: recall at each window from 0 on, and its chance level, ``(B,
        max(H, W))``.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    k = sized(k, attribution)
    original, perturbed = (top_pixels(a, k, "lens_curve") for a in (attribution, perturbed_attribution))
    distance = chebyshev_distance(original.pixels).flatten(1)
    longest = max(original.pixels.shape[1:]) - 1
    moved = (distance * perturbed.pixels.flatten(1)).sum(1) / perturbed.size
    anywhere = distance.mean(1)
    above = 1 - moved / anywhere.clamp_min(torch.finfo(anywhere.dtype).tiny)
    return {
        "": 1 - moved / max(longest, 1),
        "chance": 1 - anywhere / max(longest, 1),
        "above_chance": torch.where(anywhere > 0, above, 0.0),
        "distance": moved,
        "ties": original.ties.maximum(perturbed.ties),
        "curve": _distribution(distance, perturbed.pixels.flatten(1), longest),
        "chance_curve": _distribution(distance, torch.ones_like(distance), longest),
    }


def _distribution(distance: Tensor, weight: Tensor, longest: int) -> Tensor:
    """Share of the weight at a distance of at most 0, 1, ... ``longest``, ``(B, longest + 1)``."""
    at = torch.zeros(len(distance), longest + 1, dtype=weight.dtype, device=weight.device)
    at.scatter_add_(1, distance.long(), weight)
    return at.cumsum(1) / weight.sum(1, keepdim=True)
