"""Squares of pixels that are erased as a whole, such as those of the tokens of a transformer."""

from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.pixels import channels, descending_order, pixel_values
from ...benchmark.toolkit.ranges import AddedLater
from ...benchmark.toolkit.rng import SampleRng

Cell = Annotated[int, Ge(1), AddedLater()]
"""Side of a square, in pixels; 1 for single pixels, or the features of a vector."""


def cells_of(x: Tensor, side: int) -> Tensor:
    """Numbers of the pixels of each square, ``(cells, side * side)``; squares are counted row by row.

    Raises:
        XaiboardError: ``side`` does not divide the sides of the images, or there are none.
    """
    pixels = torch.arange(channels(x).shape[2], device=x.device)
    if side == 1:
        return pixels[:, None]
    if x.dim() != 4 or x.shape[2] % side or x.shape[3] % side:
        raise XaiboardError(
            f"setting 'cell' must divide the sides of the images; got {side} for inputs of shape {tuple(x.shape[1:])}"
        )
    return pixels.view(x.shape[2] // side, side, -1, side).transpose(1, 2).reshape(-1, side * side)


def descending_cells(attribution: Tensor, cells: Tensor, rng: SampleRng) -> Tensor:
    """Pixels ``(B, P)`` of one cell after another, from the largest sum of the attribution to the smallest."""
    return pixels_of(descending_order(pixel_values(attribution)[:, cells].sum(2), rng), cells)


def pixels_of(order: Tensor, cells: Tensor) -> Tensor:
    """Pixels ``(B, P)`` of one cell after another, in an ``order`` of cells, ``(B, cells)``."""
    return cells[order].flatten(1)
