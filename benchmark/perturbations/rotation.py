"""Rotation by a few degrees."""

from math import radians

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ..components.decorators import perturbation
from ..toolkit.checks import need_images
from ..toolkit.rng import SampleRng


@perturbation(source="Engstrom et al. 2019, arXiv:1712.02779", images=True)
def rotation(x: Tensor, rng: SampleRng, *, degrees: float = 5.0) -> Tensor:
    """``x`` rotated about its middle, with bilinear interpolation and zeros from outside the image, shaped like ``x``.

    For each sample it is drawn whether it turns clockwise or anticlockwise.

    Args:
        x: images in ``[0, 1]``, ``(B, C, H, W)``.
        rng: random numbers of each sample.
        degrees: angle of the rotation, in degrees.

    Raises:
        XaiboardError: the inputs are no images.
    """
    need_images(x, "rotation")
    angle = radians(degrees) * rng.sign(x.new_empty(len(x), 1, 1))
    height, width = x.shape[2:]
    down = torch.arange(height).to(x)[:, None] - (height - 1) / 2
    right = torch.arange(width).to(x) - (width - 1) / 2
    row = angle.cos() * down + angle.sin() * right
    column = angle.cos() * right - angle.sin() * down
    grid = torch.stack(
        [2 * column / width, 2 * row / height], -1
    )  # in units of half the image, from its middle
    return grid_sample(x, grid, align_corners=False).clamp(0, 1)
