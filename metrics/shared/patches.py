"""Patches of an image, and how much a single one changes the explained logit."""

from collections.abc import Iterator
from types import EllipsisType

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ...benchmark.toolkit.data import Reference
from ...benchmark.toolkit.per_side import part_of_side, sized
from ...benchmark.toolkit.ranges import Count
from .baselines import BLUR, Blur, baseline_image
from .erasing import Removal
from .imputation import impute, mean_colour


def patch_drops(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    reference: Reference | None,
    *,
    baseline: Removal = "zero",
    patch: Count = part_of_side(7),
    blur: Blur = BLUR,
) -> Tensor:
    """Loss of the target's logit when a single patch is erased, ``(B, patches)``.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        reference: statistics of the training set.
        baseline: what the pixels of the patch become; ``imputed`` fills them in from the other pixels, without noise.
        patch: side of a patch, in pixels. Patches do not overlap; those at the edge may be smaller. A vector is cut
            into runs of ``patch * patch`` features.
        blur: standard deviation of the ``blur``, in pixels.

    Raises:
        XaiboardError: the baseline is not available.
    """
    return -_changes(model, x, target, reference, baseline, patch, blur, insert=False)


def patch_gains(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    reference: Reference | None,
    *,
    baseline: Removal = "zero",
    patch: Count = part_of_side(7),
    blur: Blur = BLUR,
) -> Tensor:
    """Gain of the target's logit when a single patch of ``x`` is inserted into the baseline, ``(B, patches)``.

    The arguments are those of :func:`patch_drops`.
    """
    return _changes(model, x, target, reference, baseline, patch, blur, insert=True)


def patch_sums(attribution: Tensor, patch: int) -> Tensor:
    """Sum of the attribution over all channels and pixels of each patch, ``(B, patches)``."""
    values = attribution.sum(1, keepdim=True) if attribution.dim() > 2 else attribution[:, None, None]
    patch = sized(patch, attribution)
    size = patch if attribution.dim() > 2 else (1, patch * patch)
    return avg_pool2d(values, size, ceil_mode=True, divisor_override=1).flatten(1)


def _changes(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    reference: Reference | None,
    baseline: Removal,
    patch: int,
    blur: float,
    insert: bool,
) -> Tensor:
    """Change of the target's logit when one patch is erased or, with ``insert``, inserted alone, ``(B, patches)``."""
    if baseline == "imputed":
        blank = mean_colour(x, reference)
        start, changed = (blank if insert else x), _imputed(x, blank, patch, insert)
    else:
        blank = baseline_image(x, reference, baseline, blur)
        start, end = (blank, x) if insert else (x, blank)
        changed = _replaced(start, end, patch)
    with torch.no_grad():
        before = model(start.contiguous()).gather(1, target[:, None])
        return torch.cat([model(each).gather(1, target[:, None]) - before for each in changed], dim=1)


def _replaced(start: Tensor, end: Tensor, patch: int) -> Iterator[Tensor]:
    """``start`` with one patch of ``end``, for each patch; the same tensor is yielded again and again."""
    current = start.clone(memory_format=torch.contiguous_format)
    for box in boxes(start, patch):
        current[box] = end[box]
        yield current
        current[box] = start[box]


def _imputed(x: Tensor, blank: Tensor, patch: int, insert: bool) -> Iterator[Tensor]:
    """``x`` with one patch imputed or, with ``insert``, with all others imputed, without noise."""
    for box in boxes(x, patch):
        inside = torch.zeros_like(x[:, 0], dtype=torch.bool)
        inside[box] = True
        yield impute(x, (~inside if insert else inside).flatten(1), blank)


def boxes(x: Tensor, patch: int) -> Iterator[tuple[EllipsisType | slice, ...]]:
    """Index of each patch into ``x``."""
    patch = sized(patch, x)
    if x.dim() == 2:
        run = patch * patch
        yield from ((..., slice(start, start + run)) for start in range(0, x.shape[1], run))
        return
    for top in range(0, x.shape[2], patch):
        for left in range(0, x.shape[3], patch):
            yield (..., slice(top, top + patch), slice(left, left + patch))
