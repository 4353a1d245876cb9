"""Baselines: the images that inputs become when all their pixels are erased."""

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.data import Reference
from ...benchmark.toolkit.ranges import AsksFor

Baseline = Annotated[Literal["zero", "mean", "blur"], AsksFor("reference", "mean"), AsksFor("images", "blur")]

KERNEL, SIGMA = 11, 5.0
"""Width and standard deviation of the blur, in pixels, as in the released code of Petsiuk et al., arXiv:1806.07421."""


def baseline_image(x: Tensor, reference: Reference | None, baseline: Baseline) -> Tensor:
    """The input with all its pixels erased, shaped like ``x``.

    Args:
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        reference: statistics of the training set; ``mean`` needs them.
        baseline: ``zero`` (black), ``mean`` (the training set's mean image) or ``blur`` (``x``, blurred).

    Raises:
        XaiboardError: the mean image is not known or of another shape, or a vector is to be blurred.
    """
    if baseline == "zero":
        return torch.zeros_like(x)
    if baseline == "blur":
        return _blur(x)
    if reference is None:
        raise XaiboardError("baseline 'mean' needs the data set's mean image; give reference=, or use 'zero'")
    if reference.mean.shape != x.shape[1:]:
        raise XaiboardError(
            f"baseline 'mean' needs a mean image shaped {tuple(x.shape[1:])}, got {tuple(reference.mean.shape)};"
            " use the reference of the same data set"
        )
    return reference.mean.to(x).expand_as(x)


def _blur(x: Tensor) -> Tensor:
    if x.dim() != 4:
        raise XaiboardError(f"baseline 'blur' needs images (B, C, H, W), got {tuple(x.shape)}; use 'zero'")
    return _blur_rows(_blur_rows(x).mT).mT


def _blur_rows(x: Tensor) -> Tensor:
    """Gaussian blur along the last dimension, reflected at the border; the kernel is no wider than that allows."""
    half = min(KERNEL // 2, x.shape[-1] - 1)
    offsets = torch.arange(-half, half + 1).to(x)
    kernel = (-0.5 * (offsets / SIGMA) ** 2).exp()
    rows = x.reshape(-1, 1, x.shape[-2], x.shape[-1])
    blurred = conv2d(pad(rows, (half, half, 0, 0), mode="reflect"), (kernel / kernel.sum()).view(1, 1, 1, -1))
    return blurred.view_as(x)
