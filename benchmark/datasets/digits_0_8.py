"""Digits 0 and 8: two classes, the case for which the optimal-transport loss is first defined."""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.digit_images import digit_images


@dataset(
    name="digits-0-8",
    source="MNIST 0 against 8, a tutorial of deel-torchlip (the library of arXiv:2006.06520); here on digits",
)
def digits_0_8(split: Literal["train", "test"]) -> Data:
    """The zeros (label 0) and eights (label 1) of ``digits``, ``(1, 28, 28)``, in the same order and splits."""
    given = digit_images(split)
    eight = given.label == 8
    wanted = eight | (given.label == 0)
    return Data(given.x[wanted], eight[wanted].long(), ("0", "8"))
