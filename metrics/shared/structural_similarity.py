"""The structural similarity of two maps' magnitudes."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ...benchmark.toolkit.pixels import magnitudes

LUMINANCE, CONTRAST = 0.01**2, 0.03**2
"""The paper's constants for values in ``[0, 1]``."""

REACH = 3.5
"""Standard deviations at which the window is cut off, as the paper's 11 pixels for a deviation of 1.5."""


def structural_similarity(first: Tensor, second: Tensor, sigma: float = 1.5) -> Tensor:
    """Mean structural similarity of the maps' scaled magnitudes, ``(B,)``, in ``[-1, 1]``; see the metric ``ssim``.

    Args:
        first: a map, ``(B, C, H, W)`` or ``(B, F)``.
        second: another one, of the same shape.
        sigma: standard deviation of the Gaussian window, in pixels.
    """
    a, b = (_scaled(magnitudes(each)) for each in (first, second))
    moments = _windowed(torch.stack([a, b, a * a, b * b, a * b], 1), sigma)
    mean_a, mean_b, square_a, square_b, product = moments.unbind(1)
    spread = square_a - mean_a**2 + square_b - mean_b**2
    luminance = (2 * mean_a * mean_b + LUMINANCE) / (mean_a**2 + mean_b**2 + LUMINANCE)
    structure = (2 * (product - mean_a * mean_b) + CONTRAST) / (spread + CONTRAST)
    return (luminance * structure).mean((1, 2)).clamp(-1, 1)


def _scaled(values: Tensor) -> Tensor:
    return values / values.amax((1, 2), keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)


def _windowed(values: Tensor, sigma: float) -> Tensor:
    """Gaussian means over the pixels of the window that are in the image, ``(B, K, H, W)``."""
    batch, kinds, height, width = values.shape
    values = values.reshape(-1, 1, height, width)
    for axis, side in ((2, height), (3, width)):
        reach = min(int(REACH * sigma + 0.5), side - 1)
        step = torch.arange(-reach, reach + 1).to(values)
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        kernel = torch.exp(-(step**2) / (2 * sigma**2)).view(shape)
        line = torch.ones([side if i == axis else 1 for i in range(4)]).to(values)
        padding = [reach if i == axis else 0 for i in (2, 3)]
        values = conv2d(values, kernel, padding=padding) / conv2d(line, kernel, padding=padding)
    return values.view(batch, kinds, height, width)
