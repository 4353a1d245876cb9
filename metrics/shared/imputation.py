"""Fills in missing pixels from those that are left: noisy linear imputation (Rong et al. 2022, arXiv:2202.00449)."""

import torch
from torch import Tensor

from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.data import Reference
from .multilevel import Scales

NOISE = 0.01
"""Standard deviation of the noise on an imputed pixel, in units of ``x``, as in the released code."""

ITSELF, STIFFNESS = 4, 4
"""``ITSELF`` is the weight of the pixel itself in :func:`_spread`, which the mean of its neighbours leaves out.

``STIFFNESS`` is the energy of a unit slope: half the sum over the neighbours of their weights times the square of how
many rows they are away, ``(2 * 2 + 4 * 1) / 2``.
"""

ENOUGH = 1e-12
"""An image is solved when the energy norm of its error is below this, or below a thousand rounding errors if these are
larger. The error of a pixel is then at most about half as large."""


def mean_colour(x: Tensor, reference: Reference | None) -> Tensor:
    """An image of the training set's mean colour, shaped like ``x``, for images of which no pixel is left.

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
    """``x`` with each missing pixel set to the weighted mean of its eight neighbours, shaped like ``x``.

    Direct neighbours weigh twice as much as diagonal ones; at the border the mean is over the neighbours that exist.
    Neighbours may be missing too, so this is a system of linear equations. It is solved by conjugate gradients, which
    stop for each channel of each image by itself: the result does not depend on the other images of the batch.

    Args:
        x: images, ``(B, C, H, W)``.
        missing: whether a pixel is missing, bool ``(B, H * W)``.
        blank: what an image becomes if all of its pixels are missing, shaped like ``x``.
        start: a first guess, shaped like ``x``; ``blank`` by default.
    """
    empty = missing.all(1)[:, None, None, None]
    free = missing.view(len(x), 1, *x.shape[2:]) & ~empty
    guess = torch.where(free, blank if start is None else start, torch.where(empty, blank, x))
    # with the images in the last dimension, the neighbours of all of them are one slice, and rows are long and fast
    filled = _solve(guess.permute(2, 3, 1, 0).contiguous(), free.permute(2, 3, 1, 0).to(x).contiguous())
    return filled.permute(3, 2, 0, 1).contiguous()


def _solve(image: Tensor, free: Tensor) -> Tensor:
    """Solves ``image (H, W, C, B)`` in place: each pixel that is ``free (H, W, 1, B)`` becomes its neighbours' mean."""
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
    """Weighted sum of each pixel (weight 4), its direct neighbours (2) and its diagonal ones (1), ``(H, W, C, B)``.

    The kernel is the product of ``[1, 2, 1]`` down and ``[1, 2, 1]`` across; pixels beyond the border are zero.
    """
    across = 2 * x
    across[:, 1:].add_(x[:, :-1])
    across[:, :-1].add_(x[:, 1:])
    both = 2 * across
    both[1:].add_(across[:-1])
    both[:-1].add_(across[1:])
    return both
