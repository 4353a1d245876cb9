"""What can be explained: inputs and targets that a user gives from Python."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import XaiboardError

IMAGES, VECTORS = 4, 2
"""Number of dimensions of a batch of images, and of vectors."""


def require_explainable(x: Tensor, target: Tensor, seed: int) -> None:
    """Checks inputs and targets before a model sees them.

    Args:
        x: should be a batch of finite images ``(B, C, H, W)`` or vectors ``(B, F)``.
        target: should be the number of a class for each of them, ``(B,)``.
        seed: should not be negative.

    Raises:
        XaiboardError: they are not.
    """
    shape = tuple(x.shape)
    if x.is_meta or target.is_meta:
        raise XaiboardError(
            f"x and target must hold values; got {'x' if x.is_meta else 'target'} on the device 'meta', which has none"
        )
    if x.layout != torch.strided or not x.dtype.is_floating_point:
        raise XaiboardError(
            f"x must hold floating point numbers in [0, 1]; got {_kind(x)} {shape}; convert it, as with x.float() / 255"
        )
    if x.ndim not in (IMAGES, VECTORS) or not x.numel():
        raise XaiboardError(
            f"x must be images (B, C, H, W) or vectors (B, F); got shape {shape}; one image is a batch with x[None]"
        )
    if not x.isfinite().all():
        raise XaiboardError(f"x must be finite; got {int((~x.isfinite()).sum())} values that are not")
    if target.dtype not in (
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
    ) or target.shape != (len(x),):
        raise XaiboardError(
            f"target must be a class for each input, int64 ({len(x)},); got {_kind(target)} {tuple(target.shape)}"
        )
    if not 0 <= seed < 2**63:
        raise XaiboardError(f"the seed must be from 0 to 2**63 - 1; got {seed}")


def require_classes(target: Tensor, classes: int) -> None:
    """Checks that targets are classes of a model with so many logits.

    Raises:
        XaiboardError: they are not.
    """
    low, high = int(target.min()), int(target.max())
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise XaiboardError(f"target must be from 0 to {classes - 1}, the model's classes; got {wrong}")


def _kind(x: Tensor) -> str:
    return str(x.dtype if x.layout == torch.strided else x.layout).removeprefix("torch.")
