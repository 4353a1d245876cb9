"""From an attribution to one value for each pixel, and to an order of pixels."""

import torch
from torch import Tensor

from .rng import SampleRng

RESOLUTION = 1e-5
"""Values closer than this share of the map's largest magnitude are ties."""


def channels(x: Tensor) -> Tensor:
    """``(B, C, H, W)`` or ``(B, F)`` as ``(B, C, P)``: a feature of a vector is a pixel with one channel."""
    return x.flatten(2) if x.dim() > 2 else x[:, None]


def pixel_values(attribution: Tensor) -> Tensor:
    """Signed sum over channels, ``(B, P)``: the one reduction for metrics that move whole pixels."""
    return channels(attribution).sum(1)


def magnitudes(attribution: Tensor) -> Tensor:
    """Sum of magnitudes over channels, ``(B, H, W)``; a vector is an image of one row."""
    total = attribution.abs()
    return total.sum(1) if total.dim() > 2 else total[:, None]


def quantise(values: Tensor) -> Tensor:
    """``values (B, N)`` in steps of ``RESOLUTION`` times each row's largest magnitude, int64.

    Floating-point noise is no ranking: values that are equal but for the last bits, which change with the
    batch size, become equal. An all-zero row stays zero.
    """
    largest = values.abs().amax(1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
    return (values / largest / RESOLUTION).round().long()


def descending_order(values: Tensor, rng: SampleRng) -> Tensor:
    """Pixels from the largest of ``values (B, P)`` to the smallest, int64 ``(B, P)``.

    Ties are broken by a random permutation of each sample.
    """
    # One integer holds value and tie-break, so that a single sort does.
    pixels = values.shape[1]
    return (quantise(values) * pixels + rng.permutation(values, pixels)).argsort(1, descending=True)


def largest(values: Tensor, k: int) -> Tensor:
    """The ``k`` largest of ``values (B, P)``, in that order, ties to the lowest index, int64 ``(B, k)``."""
    pixels = values.shape[1]
    index = torch.arange(pixels, device=values.device)
    return (quantise(values) * pixels - index).argsort(1, descending=True)[:, :k]
