"""From arrays to data: scales pixels to ``[0, 1]``, and checks that labels are classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...errors import XaiboardError
from ...toolkit.data import Data


def as_data(pixels: np.ndarray, label: np.ndarray, classes: Sequence[str], origin: object) -> Data:
    """Data from pixels and labels.

    Args:
        pixels: 0 to 255, uint8 ``(N, C, H, W)``.
        label: index of each image's class, integer ``(N,)``.
        classes: names of the classes.
        origin: file or folder that they come from, for messages.

    Raises:
        XaiboardError: there are no images, or a label is no index of a class.
    """
    if not pixels.size:
        raise XaiboardError(f"'{origin}' holds no images, expected at least one; replace it")
    if label.max() >= len(classes):
        raise XaiboardError(
            f"'{origin}' has the label {label.max()}, expected 0 to {len(classes) - 1}; replace the file"
        )
    return Data(as_images(pixels), torch.from_numpy(label.astype(np.int64)), tuple(classes))


def as_images(pixels: np.ndarray) -> Tensor:
    """Pixels from 0 to 255, uint8 ``(N, C, H, W)``, as images in ``[0, 1]``, float32."""
    return torch.from_numpy(pixels.astype(np.float32, order="C")).div_(255)
