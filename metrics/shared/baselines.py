"""Baselines: the images that inputs become when all their pixels are erased."""

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.data import Reference
from ...benchmark.toolkit.per_side import in_proportion, sized
from ...benchmark.toolkit.ranges import AddedLater, AsksFor, Positive

Baseline = Annotated[Literal["zero", "mean", "blur"], AsksFor("reference", "mean"), AsksFor("images", "blur")]

Blur = Annotated[Positive, AddedLater()]
"""Standard deviation of the blur, in pixels."""

BLUR = in_proportion(5.0)
"""At 28 pixels it is that of the released code of Petsiuk et al., arXiv:1806.07421, which takes it at 224 pixels.

In large images that hides less: of SqueezeNet's probability, .31 on crops of ``photos[side=227]``, it leaves .020, and
a deviation of 41 leaves .007.
"""

REACH = 1.1
"""Standard deviations at which the blur is cut off, as the 11 pixels of the released code for a deviation of 5."""


def baseline_image(x: Tensor, reference: Reference | None, baseline: Baseline, blur: float = BLUR) -> Tensor:
    """The input with all its pixels erased, shaped like ``x``.

    Args:
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        reference: statistics of the training set; ``mean`` needs them.
        baseline: ``zero`` (black), ``mean`` (the training set's mean image) or ``blur`` (``x``, blurred).
        blur: standard deviation of the blur, in pixels.

    Raises:
        XaiboardError: the mean image is not known or of another shape, or a vector is to be blurred.
    """
    if baseline == "zero":
        return torch.zeros_like(x)
    if baseline == "blur":
        return _blurred(x, sized(blur, x))
    if reference is None:
        raise XaiboardError("baseline 'mean' needs the data set's mean image; give reference=, or use 'zero'")
    if reference.mean.shape != x.shape[1:]:
        raise XaiboardError(
            f"baseline 'mean' needs a mean image shaped {tuple(x.shape[1:])}, got {tuple(reference.mean.shape)};"
            " use the reference of the same data set"
        )
    return reference.mean.to(x).expand_as(x)


def _blurred(x: Tensor, sigma: float) -> Tensor:
    if x.dim() != 4:
        raise XaiboardError(f"baseline 'blur' needs images (B, C, H, W), got {tuple(x.shape)}; use 'zero'")
    return _blurred_rows(_blurred_rows(x, sigma).mT, sigma).mT


def _blurred_rows(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur along the last dimension, reflected at the border; the kernel is no wider than that allows."""
    half = min(round(REACH * sigma - 0.5), x.shape[-1] - 1)
    offsets = torch.arange(-half, half + 1).to(x)
    kernel = (-0.5 * (offsets / sigma) ** 2).exp()
    rows = x.reshape(-1, 1, x.shape[-2], x.shape[-1])
    blurred = conv2d(pad(rows, (half, half, 0, 0), mode="reflect"), (kernel / kernel.sum()).view(1, 1, 1, -1))
    return blurred.view_as(x)
