"""Block digits: a digit above or below a block that says nothing; where an explanation may point is known."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..components.decorators import dataset
from ..toolkit.data import Data
from ..toolkit.rng import SampleRng
from .digits import digits


@dataset(name="block-digits", source="Shah et al. 2021, arXiv:2102.12781, BlockMNIST; here on digits")
def block_digits(split: Literal["train", "test"]) -> Data:
    """Digits ``(1, 56, 28)``: digit and null block in random order; the mask is the digit's block.

    The order is drawn for each sample on its own and does not depend on its label. The construction is the
    paper's; the digits, and so the numbers, are not.
    """
    given = digits(split)
    rng = SampleRng(0, given.ids, f"block-digits/{split}")
    above = rng.sign(torch.zeros(len(given), 1, 1, 1)) > 0
    null = null_block().expand_as(given.x)
    x = torch.cat([torch.where(above, given.x, null), torch.where(above, null, given.x)], dim=2)
    mask = torch.cat([above, ~above], dim=2).repeat_interleave(28, dim=2).repeat_interleave(28, dim=3)
    return Data(x, given.label, given.classes, mask)


def null_block() -> Tensor:
    """The block without information, ``(28, 28)``: a square outline with its two diagonals.

    The same in every image. Its strokes are as bright as a digit's and about as much of it is bright, so that
    it is not the dimmer or the emptier half that gives it away.
    """
    offset = (torch.arange(28) - 13.5).abs()
    row, column = offset[:, None], offset[None, :]
    outer = torch.maximum(row, column)
    outline = (outer > 8) & (outer < 10)
    cross = (outer < 10) & ((row - column).abs() < 1.5)
    return (outline | cross).float()
