"""Block digits: a digit above or below a block without information, so that it is known where a map should point."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..components.decorators import dataset
from ..toolkit.data import Data
from ..toolkit.rng import SampleRng
from .shared.digit_images import digit_images


@dataset(name="block-digits", source="Shah et al. 2021, arXiv:2102.12781, BlockMNIST; here on digits")
def block_digits(split: Literal["train", "test"]) -> Data:
    """A digit and a null block, one above the other in random order, ``(1, 56, 28)``; the mask is the digit's block.

    The order is drawn for each sample independently of its label. The construction is that of the paper; the digits
    are not its MNIST digits, so numbers cannot be compared with the paper's.
    """
    given = digit_images(split)
    rng = SampleRng(0, given.ids, f"block-digits/{split}")
    digit_above = rng.sign(torch.zeros(len(given), 1, 1, 1)) > 0
    null = null_block().expand_as(given.x)
    x = torch.cat([torch.where(digit_above, given.x, null), torch.where(digit_above, null, given.x)], dim=2)
    mask = torch.cat([digit_above, ~digit_above], dim=2)
    mask = mask.repeat_interleave(28, dim=2).repeat_interleave(28, dim=3)
    return Data(x, given.label, given.classes, mask)


def null_block() -> Tensor:
    """The block without information, ``(28, 28)``: a square outline with its two diagonals.

    The same in every image. Its strokes are as bright as those of a digit and cover about as much area, so that
    brightness does not tell a network which half is the digit.
    """
    offset = (torch.arange(28) - 13.5).abs()
    row, column = offset[:, None], offset[None, :]
    outer = torch.maximum(row, column)
    outline = (outer > 8) & (outer < 10)
    cross = (outer < 10) & ((row - column).abs() < 1.5)
    return (outline | cross).float()
