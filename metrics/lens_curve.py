"""LENS recall at every window: how near the perturbed map's top pixels are to the original map's."""

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.top_pixels import top_pixels
from .shared.distance import chebyshev_distance
from .shared.overlap import COLUMNS


@metric(
    family="stability",
    higher_is_better=True,
    source="Kamath et al. 2024, arXiv:2312.10534, for all windows",
    columns={**COLUMNS, "distance": Column(higher_is_better=False)},
)
def lens_curve(attribution: Tensor, perturbed_attribution: Tensor, *, k: float = 100.0) -> dict[str, Tensor]:
    """Area under :func:`~xaiboard.metrics.lens.lens_recall` over the window, ``(B,)``, in ``[0, 1]``.

    Recall at a window is the distribution of the Chebyshev distance from a perturbed top pixel to the original set,
    so the area from 0 to the longest distance in the map is 1 less the mean distance, in units of the longest.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        k: pixels in a set, or, below 1, the share of the pixels.

    Returns:
        The area; ``chance``, that of a random perturbed set; ``above_chance``, 0 at chance and 1 at best, which is
        1 less the ratio of the mean distances; ``distance``, the mean distance in pixels; ``ties``, as for
        ``lens_recall``; the curves ``curve`` and ``chance_curve``, ``(B, max(H, W))``, from window 0 on.

    Raises:
        XaiboardError: no set of the map's pixels has ``k`` of them.
    """
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
    """Share of the weight at most 0, 1, ... ``longest`` away, ``(B, longest + 1)``."""
    at = torch.zeros(len(distance), longest + 1, dtype=weight.dtype, device=weight.device)
    at.scatter_add_(1, distance.long(), weight)
    return at.cumsum(1) / weight.sum(1, keepdim=True)
