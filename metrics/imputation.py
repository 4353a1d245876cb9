"""Missing pixels filled in from what is left: noisy linear imputation (Rong et al. 2022, arXiv:2202.00449)."""

import torch
from torch import Tensor

from ..benchmark.data import Reference
from ..benchmark.errors import XaiboardError

NOISE = 0.01
"""Deviation of the noise on an imputed pixel, in units of x: that of the released code."""

COARSEST = 1e-12
"""Imbalance of a pixel with its neighbours at which it counts as solved, or ten roundings where that is more."""


def mean_colour(x: Tensor, reference: Reference | None) -> Tensor:
    """An image of one colour, the training set's mean, shaped like ``x``: what is imputed where nothing is left.

    Raises:
        XaiboardError: ``x`` is no image, or the training set is not known.
    """
    if x.dim() != 4:
        raise XaiboardError(f"baseline 'imputed' needs images (B, C, H, W), got {tuple(x.shape)}; use 'zero'")
    if reference is None or len(reference.mean) != x.shape[1]:
        raise XaiboardError(
            "baseline 'imputed' needs the data set's mean image, of as many channels; give reference=, or use 'zero'"
        )
    return reference.mean.to(x).mean((1, 2), keepdim=True).expand_as(x)


def impute(x: Tensor, missing: Tensor, blank: Tensor, start: Tensor | None = None) -> Tensor:
    """``x`` with each missing pixel the weighted mean of its eight neighbours, direct ones twice the diagonal ones.

    At the border the mean is over the neighbours that exist. Solved by conjugate gradients, each channel of each
    image by itself and until it is solved, whatever the others need.

    Args:
        x: images, ``(B, C, H, W)``.
        missing: bool, ``(B, H * W)``.
        blank: what an image becomes that misses all of its pixels, shaped like ``x``.
        start: a first guess, shaped like ``x``; ``blank`` by default.
    """
    free = missing.view(len(x), 1, *x.shape[2:])
    start = (
        blank if start is None else torch.where(free.all(3, keepdim=True).all(2, keepdim=True), blank, start)
    )
    shape, free = x.shape, free.expand_as(x).flatten(0, 1).to(x)
    current = torch.where(free > 0, start.flatten(0, 1), x.flatten(0, 1))
    total = _around(torch.ones_like(current[:1]))
    residual = free * (_around(current) - total * current)
    direction = torch.zeros_like(current)
    energy = torch.ones_like(current[:, :1, :1])
    enough = max(COARSEST, 10 * torch.finfo(x.dtype).eps)
    for _ in range(x.shape[2] * x.shape[3]):
        unsolved = residual.abs().amax((1, 2), keepdim=True) > enough
        if not unsolved.any():
            break
        scaled = residual / total
        before, energy = energy, (residual * scaled).sum((1, 2), keepdim=True)
        direction = scaled + torch.where(before > 0, energy / before, 0.0) * direction
        image = free * (total * direction - _around(direction))
        length = torch.where(unsolved, energy / (direction * image).sum((1, 2), keepdim=True), 0.0)
        current, residual = current + length * direction, residual - length * image
    return current.view(shape)


def _around(x: Tensor) -> Tensor:
    """Weighted sum of the neighbours, ``(N, H, W)``: weights 1/6 and, across corners, 1/12; nothing beyond the border.

    The kernel is ``[1, 2, 1]`` down times ``[1, 2, 1]`` across, less its centre, over 12.
    """
    return (_one_two_one(_one_two_one(x).mT).mT - 4 * x) / 12


def _one_two_one(x: Tensor) -> Tensor:
    total = 2 * x
    total[..., 1:] += x[..., :-1]
    total[..., :-1] += x[..., 1:]
    return total
