"""One value for each pixel of an attribution, and the order of the pixels by value."""

import torch
from torch import Tensor

from .rng import SampleRng

RESOLUTION = 1e-5
"""Values closer than this share of the map's largest magnitude are ties."""


def channels(x: Tensor) -> Tensor:
    """``(B, C, H, W)`` or ``(B, F)`` as ``(B, C, P)``; a feature of a vector counts as a pixel with one channel."""
    return x.flatten(2) if x.dim() > 2 else x[:, None]


def pixel_values(attribution: Tensor) -> Tensor:
    """Signed sum over channels, ``(B, P)``; all metrics that move whole pixels use this reduction."""
    return channels(attribution).sum(1)


def magnitudes(attribution: Tensor) -> Tensor:
    """Sum of the channels' magnitudes, ``(B, H, W)``; a vector counts as an image of one row."""
    total = attribution.abs()
    return total.sum(1) if total.dim() > 2 else total[:, None]


def quantise(values: Tensor) -> Tensor:
    """``values (B, N)`` in units of ``RESOLUTION`` times each row's largest magnitude, rounded, int64.

    Values that differ only by floating-point noise become equal. This noise may change with the size of the batch, and
    must not rank pixels. An all-zero row stays zero.
    """
    largest = values.abs().amax(1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
    return (values / largest / RESOLUTION).round().long()


def descending_order(values: Tensor, rng: SampleRng) -> Tensor:
    """Pixels from the largest of ``values (B, P)`` to the smallest, int64 ``(B, P)``.

    Ties are broken by a random permutation of each sample.
    """
    # one integer holds both the value and the order of ties, so that one sort is enough
    pixels = values.shape[1]
    return (quantise(values) * pixels + rng.permutation(values, pixels)).argsort(1, descending=True)


def largest(values: Tensor, k: int) -> Tensor:
    """Indices of the ``k`` largest of ``values (B, P)``, in descending order, ties by index, int64 ``(B, k)``."""
    pixels = values.shape[1]
    index = torch.arange(pixels, device=values.device)
    return (quantise(values) * pixels - index).argsort(1, descending=True)[:, :k]
