"""Occlusion: the drop of the explained logit when a window is covered."""

from collections.abc import Iterator
from itertools import product
from types import EllipsisType

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..errors import XaiboardError
from ..toolkit.per_side import part_of_side, sized
from ..toolkit.ranges import Count


@method(source="Zeiler & Fergus 2014, arXiv:1311.2901, sec. 4.2")
def occlusion(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    window: Count = part_of_side(7),
    stride: Count = part_of_side(14),
    baseline: float = 0.0,
) -> Tensor:
    """Mean drop of the target's logit over the windows that cover a pixel, shaped like ``x``, in logits.

    All channels of a window are covered together, and each channel gets the whole drop. Windows larger than the input
    are cut to it. If ``stride`` does not divide the rest of a side, the last window is cut at the edge, so that every
    pixel is covered. In ``(B, F)`` inputs a window is a run of neighbouring features.

    captum's class rounds to float32, and evaluates windows in batches of another size than the intact input's, for
    which the last bit of a logit may differ. Here both batches have the same size, and a window that changes nothing
    gets exactly zero.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        window: side of the square window, in pixels.
        stride: distance between neighbouring windows, in pixels; at most ``window``.
        baseline: value of a covered pixel, in units of ``x``.

    Raises:
        XaiboardError: ``stride`` is greater than ``window``, which would leave pixels uncovered.
    """
    window, stride = sized(window, x), sized(stride, x)
    if stride > window:
        raise XaiboardError(
            f"setting 'stride' of 'occlusion' must be at most window={window}, or pixels are left out; got '{stride}'"
        )
    attribution, covered = torch.zeros_like(x), torch.zeros_like(x[:1])
    column = (-1,) + (1,) * (x.dim() - 1)
    with torch.no_grad():
        intact = _logit(model, x, target)
        for box in _windows(x, window, stride):
            occluded = x.clone()
            occluded[box] = baseline
            attribution[box] += (intact - _logit(model, occluded, target)).view(column)
            covered[box] += 1
    return attribution / covered


def _logit(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    return model(x).gather(1, target[:, None]).squeeze(1)


def _windows(x: Tensor, window: int, stride: int) -> Iterator[tuple[EllipsisType | slice, ...]]:
    """Index of each window into ``x``."""
    starts = [range(0, max(size - window, 0) + stride, stride) for size in x.shape[2:] or x.shape[1:]]
    for corner in product(*starts):
        yield (..., *(slice(start, start + window) for start in corner))
