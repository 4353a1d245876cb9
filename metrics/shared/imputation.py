"""Missing pixels filled in from what is left: noisy linear imputation (Rong et al. 2022, arXiv:2202.00449)."""

import torch
from torch import Tensor

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.data import Reference
from .multilevel import Scales

NOISE = 0.01
"""Deviation of the noise on an imputed pixel, in units of x: that of the released code."""

ITSELF, STIFFNESS = 4, 4
"""Weight of a pixel in its own sum, which the mean leaves out; energy of a unit slope in units of the weights: half
the sum of weights times squared steps down, ``(2 * 2 + 4 * 1) / 2``."""

ENOUGH = 1e-12
"""Energy norm of the error at which an image is solved, or a thousand roundings where that is more: no pixel is then
off by more than about half as much."""


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
    empty = missing.all(1)[:, None, None, None]
    free = missing.view(len(x), 1, *x.shape[2:]) & ~empty
    guess = torch.where(free, blank if start is None else start, torch.where(empty, blank, x))
    # images last: the neighbours of all of them are then one slice, and long rows are quick
    filled = _solve(guess.permute(2, 3, 1, 0).contiguous(), free.permute(2, 3, 1, 0).to(x).contiguous())
    return filled.permute(3, 2, 0, 1).contiguous()


def _solve(image: Tensor, free: Tensor) -> Tensor:
    """``image (H, W, C, B)`` with what is ``free (H, W, 1, B)`` the mean of its neighbours; overwrites the image."""
    weights = _spread(torch.ones_like(free[..., :1]))
    own = weights * free
    approximately = Scales(free, weights - ITSELF, own - free * _spread(free), STIFFNESS)
    residual = free * _spread(image) - own * image
    direction, before = torch.zeros_like(image), torch.ones_like(image[:1, :1])
    enough = max(ENOUGH, 1000 * torch.finfo(image.dtype).eps) ** 2
    for _ in range(image.shape[0] * image.shape[1]):
        scaled = approximately(residual)
        energy = (residual * scaled).sum((0, 1), keepdim=True)
        unsolved = energy > enough
        if not unsolved.any():
            break
        direction.mul_(energy / before).add_(scaled)
        change = (own * direction).addcmul_(free, _spread(direction), value=-1)
        length = torch.where(unsolved, energy / (direction * change).sum((0, 1), keepdim=True), 0.0)
        image.addcmul_(length, direction)
        residual.addcmul_(length, change, value=-1)
        before = torch.where(unsolved, energy, 1.0)
    return image


def _spread(x: Tensor) -> Tensor:
    """Weighted sum of a pixel and its neighbours, ``(H, W, C, B)``: weights 4, 2 and, across corners, 1.

    The kernel is ``[1, 2, 1]`` down times ``[1, 2, 1]`` across; nothing lies beyond the border.
    """
    across = 2 * x
    across[:, 1:].add_(x[:, :-1])
    across[:, :-1].add_(x[:, 1:])
    both = 2 * across
    both[1:].add_(across[:-1])
    both[:-1].add_(across[1:])
    return both
