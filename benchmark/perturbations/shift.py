"""Shift: the image moves by whole pixels."""

from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor

from ..components.decorators import perturbation
from ..toolkit.checks import need_images
from ..toolkit.per_side import in_proportion, sized
from ..toolkit.rng import SampleRng


@perturbation(
    source="Kindermans et al. 2019, arXiv:1711.00867; Azulay & Weiss 2019, arXiv:1805.12177", images=True
)
def shift(x: Tensor, rng: SampleRng, *, pixels: Annotated[int, Ge(0)] = in_proportion(1)) -> Tensor:
    """``x`` shifted along a diagonal, by ``pixels`` rows and as many columns, with zeros from outside the image.

    One of the four diagonal directions is drawn for each sample. If the map moves along with the image, each of its
    pixels stays within a window of ``pixels``.

    Args:
        x: images in ``[0, 1]``, ``(B, C, H, W)``.
        rng: random numbers of each sample.
        pixels: number of rows, and of columns, by which the image moves.

    Raises:
        XaiboardError: the inputs are no images.
    """
    need_images(x, "shift")
    pixels = sized(pixels, x)
    moves = (pixels * rng.sign(x.new_empty(len(x), 2))).long()
    for axis in (2, 3):
        side = x.shape[axis]
        source = torch.arange(side, device=x.device) - moves[:, axis - 2, None]
        inside = (source >= 0) & (source < side)
        shape = [len(x), 1, 1, 1]
        shape[axis] = side
        index, kept = source.clamp(0, side - 1).view(shape).expand_as(x), inside.view(shape)
        x = torch.where(kept, x.gather(axis, index), 0.0)
    return x
