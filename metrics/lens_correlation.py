"""Rank correlations of two maps after a box blur, so that moves within the box count less."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.pixels import magnitudes
from .shared.kendall_tau import kendall_tau
from .shared.rank_correlation import spearman

Border = Literal["inside", "zero"]
"""Means over the pixels of the box that are in the map, or over the whole box, with 0 outside the map."""

SOURCE = "Kamath et al. 2024, arXiv:2312.10534; the border rule, which no released code fixes, is a setting"


@metric(family="stability", higher_is_better=True, across_models=True, source=SOURCE)
def lens_spearman(
    attribution: Tensor, perturbed_attribution: Tensor, *, window: int = 1, border: Border = "inside"
) -> Tensor:
    """Spearman's rank correlation of the blurred magnitudes, ``(B,)``, in ``[-1, 1]``.

    Each pixel becomes the mean of its neighbourhood, in both maps. A pixel's magnitude is the sum of its channels'
    magnitudes; values equal up to floating-point noise are ties. A map that is constant once blurred scores 0.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        window: radius of the square neighbourhood, in pixels: its side is ``2 * window + 1``.
        border: ``inside``: the mean over the neighbours that exist; ``zero``: pixels outside the map are 0, which
            darkens the border of both maps and so raises the correlation of unrelated ones above 0.

    Raises:
        XaiboardError: ``window`` is negative.
    """
    at_least(0, "lens_spearman", window=window)
    return spearman(*(_blurred(a, window, border) for a in (attribution, perturbed_attribution)))


@metric(family="stability", higher_is_better=True, across_models=True, source=SOURCE)
def lens_kendall(
    attribution: Tensor, perturbed_attribution: Tensor, *, window: int = 1, border: Border = "inside"
) -> Tensor:
    """Kendall's tau-b of the blurred magnitudes, ``(B,)``, in ``[-1, 1]``.

    Blur, magnitudes and constant maps are those of :func:`lens_spearman`.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        window: radius of the square neighbourhood, in pixels: its side is ``2 * window + 1``.
        border: ``inside`` or ``zero``, as for :func:`lens_spearman`.

    Raises:
        XaiboardError: ``window`` is negative.
    """
    at_least(0, "lens_kendall", window=window)
    return kendall_tau(*(_blurred(a, window, border) for a in (attribution, perturbed_attribution)))


def _blurred(attribution: Tensor, window: int, border: Border) -> Tensor:
    """Means of the magnitudes in each pixel's box, ``(B, P)``."""
    means = magnitudes(attribution)[:, None]
    largest = means.flatten(1).amax(1).clamp_min(torch.finfo(means.dtype).tiny)
    means = means / largest.view(-1, 1, 1, 1)  # the sum of large numbers stays finite
    height, width = means.shape[2:]
    for size, side in (((1, 0), height), ((0, 1), width)):
        reach = tuple(min(window, side - 1) * axis for axis in size)
        box = tuple(2 * r + 1 for r in reach)
        means = avg_pool2d(means, box, stride=1, padding=reach, count_include_pad=border == "zero")
    return means.flatten(1)
