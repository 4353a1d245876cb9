"""Digits: scikit-learn's 1,797 handwritten digits, resampled to 28 by 28; needs no download."""

from __future__ import annotations

from typing import Literal

from ..components.decorators import dataset
from ..toolkit.data import Data
from .shared.digit_images import digit_images


@dataset(
    source="scikit-learn load_digits (UCI optical recognition of handwritten digits, doi:10.24432/C50P49, test set)"
)
def digits(split: Literal["train", "test"]) -> Data:
    """1,348 training and 449 test images ``(1, 28, 28)``: every fourth one is for testing."""
    return digit_images(split)
