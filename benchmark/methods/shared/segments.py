"""Segments of an image, which a method keeps or removes as a whole: square patches, or superpixels of each image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, prod
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from ...errors import XaiboardError
from ...toolkit.per_side import per_size, resolve
from ...toolkit.ranges import AddedLater, Count
from ...toolkit.rng import SampleRng
from .patches import patch_numbers

Segmentation = Annotated[Literal["grid", "slic"], AddedLater()]
"""Square patches, or superpixels of each image."""

ENOUGH = 256 / 49
"""Draws a segment with which the maps of linear networks are right: those of 28-pixel images and their 49 patches."""

COMPACTNESS = {"colour": 30.0, "grey": 0.3}
"""How much places count beside colours, in Lab units, or grey values.

With the 10 of scikit-image, superpixels of a photograph fall to pieces, which are joined to others until half are left.
"""

Fit = Callable[[Tensor, Tensor, SampleRng, Tensor], Tensor]
"""From inputs, targets, random numbers, and the segment of each pixel to attributions shaped like the inputs."""


def _draws(shape: Sequence[int], settings: Mapping[str, Any]) -> int:
    """For images ``(C, H, W)``, or vectors ``(F,)``."""
    patch = resolve(settings["patch"], shape, settings)
    return max(256, ceil(ENOUGH * prod(ceil(side / patch) for side in shape[1:] or shape)))


DRAWS = per_size(256, "256, and more in proportion where there are more than 49 patches", _draws, _draws)
"""Default number of draws."""


def on_segments(
    fit: Fit, x: Tensor, target: Tensor, rng: SampleRng, segments: Segmentation, patch: Count
) -> Tensor:
    """Attributions of all inputs by their common patches, or of one after the other by its own superpixels.

    Raises:
        XaiboardError: superpixels are asked for, and the inputs are no images, or the library is not installed.
    """
    if segments == "grid":
        return fit(x, target, rng, patch_numbers(x, patch))
    maps = []
    for row, (image, its_target) in enumerate(zip(x.split(1), target.split(1), strict=True)):
        maps.append(fit(image, its_target, rng.only(row), superpixels(image, patch)))
    return torch.cat(maps)


def superpixels(image: Tensor, patch: Count) -> Tensor:
    """Number of the superpixel to which each pixel of one image ``(1, C, H, W)`` belongs, from 0 on, ``(H, W)``.

    They are those of SLIC (Achanta et al. 2012), about as many as there are patches.
    """
    try:
        from skimage.segmentation import slic
    except ImportError:
        raise XaiboardError(
            "segments=slic needs the library scikit-image, which is not installed; run: pip install 'xaiboard[slic]'"
        ) from None
    if image.dim() != 4:
        raise XaiboardError(
            f"segments=slic needs images (B, C, H, W), got {tuple(image.shape)}; use segments=grid"
        )
    count = int(patch_numbers(image, patch).max()) + 1
    pixels = image[0].movedim(0, -1).detach().double().cpu().numpy()
    compactness = COMPACTNESS["colour" if pixels.shape[-1] == 3 else "grey"]
    found = slic(pixels, n_segments=count, compactness=compactness, channel_axis=-1, start_label=0)
    return torch.from_numpy(found).to(image.device).unique(return_inverse=True)[1]


def has_superpixels(model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
    """Raises XaiboardError where superpixels are asked for and cannot be had."""
    del model, target
    if settings["segments"] == "slic":
        superpixels(x[:1], settings["patch"])
