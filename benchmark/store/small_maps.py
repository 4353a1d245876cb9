"""Maps and images as the few bytes that are kept of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .maps import LARGEST, LONGEST


def small_map(attribution: np.ndarray) -> dict[str, Any]:
    """The columns of ``maps.parquet`` that hold an attribution.

    Args:
        attribution: finite, ``(C, H, W)``, of which the sum over channels is kept, or ``(F,)``.
    """
    exact = attribution.astype(np.float64)
    values = shrink(exact.sum(0)) if exact.ndim > 1 else exact[None]
    with np.errstate(over="ignore"):  # a scale that float32 cannot hold is infinite
        scale = np.float32(np.abs(values).max())
    steps = np.rint(values * (LARGEST / float(scale))) if scale else np.zeros_like(values)
    whole = steps.clip(-LARGEST, LARGEST).astype(np.int8)
    return {"height": len(whole), "width": whole.shape[1], "scale": scale, "map": whole.tobytes()}


def small_image(x: np.ndarray) -> dict[str, Any]:
    """The columns of ``images.parquet`` that hold an image ``(C, H, W)``, or a vector ``(F,)``, in ``[0, 1]``."""
    pixels = shrink(x.astype(np.float64)) if x.ndim > 1 else x[None, None]
    whole = np.rint(pixels * 255).astype(np.uint8)
    return dict(zip(("channels", "height", "width"), whole.shape, strict=True)) | {"pixels": whole.tobytes()}


def shrink(values: np.ndarray, longest: int = LONGEST) -> np.ndarray:
    """Means of blocks of ``(..., H, W)``, so that the longer side has at most ``longest`` of them.

    Where the blocks cannot all be of one size, some have a row or a column more.
    """
    shape = values.shape[-2:]
    if max(shape) <= longest:
        return values
    for axis, side in zip((-2, -1), shape, strict=True):
        blocks = max(1, round(side * longest / max(shape)))
        edges = np.arange(blocks) * side // blocks
        sizes = np.diff(edges, append=side)
        sums = np.add.reduceat(values, edges, axis=axis)
        values = sums / (sizes[:, None] if axis == -2 else sizes)
    return values
