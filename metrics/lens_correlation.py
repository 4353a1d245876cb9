"""Rank correlations of two maps after a box blur, which makes small moves count less."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.per_side import sized
from ..benchmark.toolkit.pixels import magnitudes
from ..benchmark.toolkit.ranges import Window
from ..benchmark.toolkit.top_pixels import LENS_WINDOW
from .shared.kendall_tau import kendall_tau
from .shared.rank_correlation import spearman

SOURCE = "Kamath et al. 2024, arXiv:2312.10534; the border rule, which no released code fixes, is a setting"


@dataclass(frozen=True)
class BoxBlur:
    """Each pixel of the map becomes the mean of the square box around it.

    Args:
        window: radius of the box, in pixels: its side is ``2 * window + 1``.
        border: ``inside`` takes the mean over the pixels of the box that are in the map. ``zero`` takes it over the
            whole box, with 0 outside the map; this darkens the border of both maps, and so raises the correlation of
            unrelated maps above 0.
    """

    window: Window = LENS_WINDOW
    border: Literal["inside", "zero"] = "inside"


@metric(
    family="stability", higher_is_better=True, across_models=True, range=(-1, 1), source=SOURCE, images=True
)
def lens_spearman(attribution: Tensor, perturbed_attribution: Tensor, *, blur: BoxBlur = BoxBlur()) -> Tensor:
    """Spearman's rank correlation of the blurred magnitudes, ``(B,)``, in ``[-1, 1]``.

    In both maps, each pixel becomes the mean of its neighbourhood. The magnitude of a pixel is the sum of its channels'
    magnitudes. Values that are equal up to floating-point noise are ties. A map that is constant after the blur scores
    0.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        blur: the neighbourhood.
    """
    return spearman(*(_blurred(a, blur) for a in (attribution, perturbed_attribution)))


@metric(
    family="stability", higher_is_better=True, across_models=True, range=(-1, 1), source=SOURCE, images=True
)
def lens_kendall(attribution: Tensor, perturbed_attribution: Tensor, *, blur: BoxBlur = BoxBlur()) -> Tensor:
    """Kendall's tau-b of the blurred magnitudes, ``(B,)``, in ``[-1, 1]``.

    Blur, magnitudes and constant maps are as in :func:`lens_spearman`.

    Args:
        attribution: map of the original input, ``(B, C, H, W)`` or ``(B, F)``.
        perturbed_attribution: map of the perturbed input, of the same shape.
        blur: the neighbourhood.
    """
    return kendall_tau(*(_blurred(a, blur) for a in (attribution, perturbed_attribution)))


def _blurred(attribution: Tensor, blur: BoxBlur) -> Tensor:
    """Mean magnitude in the box around each pixel, ``(B, P)``."""
    blur, means = sized(blur, attribution), magnitudes(attribution)[:, None]
    largest = means.flatten(1).amax(1).clamp_min(torch.finfo(means.dtype).tiny)
    means = means / largest.view(-1, 1, 1, 1)  # so that the sum of large numbers stays finite
    height, width = means.shape[2:]
    for size, side in (((1, 0), height), ((0, 1), width)):
        reach = tuple(min(blur.window, side - 1) * axis for axis in size)
        box = tuple(2 * r + 1 for r in reach)
        means = avg_pool2d(means, box, stride=1, padding=reach, count_include_pad=blur.border == "zero")
    return means.flatten(1)
