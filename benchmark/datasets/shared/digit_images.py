"""The images of scikit-learn's handwritten digits, for the data sets that are made of them."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ...toolkit.data import Data
from .scikit_learn import data_file

CLASSES = tuple("0123456789")


def digit_images(split: Literal["train", "test"]) -> Data:
    """1,348 training and 449 test images ``(1, 28, 28)``, with their labels 0 to 9."""
    x, label = _images()
    testing = torch.arange(len(x)) % 4 == 3
    chosen = {"train": ~testing, "test": testing}[split]
    return Data(x[chosen], label[chosen], CLASSES)


@cache
def _images() -> tuple[Tensor, Tensor]:
    """All images ``(1797, 1, 28, 28)`` and labels ``(1797,)``.

    They are cached: callers pick samples by indexing, which copies, so that nobody changes the cached tensors.
    """
    table = np.loadtxt(data_file("data/digits.csv.gz"), delimiter=",")
    pixels, target = table[:, :-1], table[:, -1].astype(np.int64)
    small = torch.from_numpy(pixels).float().reshape(-1, 1, 8, 8) / 16
    x = interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
    # From 8 to 28 pixels the weights of the interpolation are multiples of 1/14, so each pixel should be a multiple of
    # 1/(14 * 14 * 16). Rounding to one removes errors in the last bit: they differ from CPU to CPU, and would give the
    # data another digest on another machine.
    x = (x * 3136).round() / 3136
    return x.clamp(0, 1), torch.from_numpy(target)
