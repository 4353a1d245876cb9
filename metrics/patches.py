"""Patches of an image, and what one of them does to the explained logit."""

from collections.abc import Iterator
from types import EllipsisType

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ..benchmark.data import Reference
from ..benchmark.errors import at_least
from .baselines import Baseline, baseline_image


def patch_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    reference: Reference | None,
    *,
    baseline: Baseline = "zero",
    patch: int = 4,
) -> Tensor:
    """What the target's logit loses when a single patch gives way to the baseline, ``(B, patches)``.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        reference: statistics of the training set.
        baseline: what replaces the patch.
        patch: side of a patch, in pixels; patches do not overlap, those at the edge may be smaller. A vector
            is cut into runs of ``patch * patch`` features.

    Raises:
        XaiboardError: ``patch`` is smaller than 1, or the baseline is not available.
    """
    return -_changes(model, x, baseline_image(x, reference, baseline), target, patch)


def patch_gains(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    reference: Reference | None,
    *,
    baseline: Baseline = "zero",
    patch: int = 4,
) -> Tensor:
    """What the target's logit gains when a single patch of ``x`` is put into the baseline, ``(B, patches)``.

    The arguments are those of :func:`patch_drops`.
    """
    return _changes(model, baseline_image(x, reference, baseline), x, target, patch)


def patch_sums(attribution: Tensor, patch: int) -> Tensor:
    """Attribution summed over all channels and pixels of each patch, ``(B, patches)``."""
    values = attribution.sum(1, keepdim=True) if attribution.dim() > 2 else attribution[:, None, None]
    size = patch if attribution.dim() > 2 else (1, patch * patch)
    return avg_pool2d(values, size, ceil_mode=True, divisor_override=1).flatten(1)


def _changes(model: nn.Module, start: Tensor, end: Tensor, target: Tensor, patch: int) -> Tensor:
    """Change of the target's logit when one patch of ``start`` becomes that of ``end``, ``(B, patches)``."""
    at_least(1, "patch_correlation", patch=patch)
    current, changes = start.clone(memory_format=torch.contiguous_format), []
    with torch.no_grad():
        before = model(current).gather(1, target[:, None])
        for box in boxes(start, patch):
            current[box] = end[box]
            changes.append(model(current).gather(1, target[:, None]) - before)
            current[box] = start[box]
    return torch.cat(changes, dim=1)


def boxes(x: Tensor, patch: int) -> Iterator[tuple[EllipsisType | slice, ...]]:
    """Index of each patch into ``x``."""
    if x.dim() == 2:
        run = patch * patch
        yield from ((..., slice(start, start + run)) for start in range(0, x.shape[1], run))
        return
    for top in range(0, x.shape[2], patch):
        for left in range(0, x.shape[3], patch):
            yield (..., slice(top, top + patch), slice(left, left + patch))
