"""Sets of top pixels: which they are, and how they spread."""

from math import prod
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..errors import SettingError, XaiboardError
from .pixels import magnitudes, quantise

Arithmetic = Literal["clean", "released"]
"""The definitions, or what the code that was released with LENS computes (:mod:`.lens_released`)."""


class Chosen(NamedTuple):
    """A set of pixels for each map.

    Args:
        pixels: 1 where chosen, 0 elsewhere, ``(B, H, W)``.
        ties: share of the set that has the magnitude of a pixel outside it, ``(B,)``: no other member depends on
            how ties are broken.
    """

    pixels: Tensor
    ties: Tensor

    @property
    def size(self) -> Tensor:
        """Pixels in the set, ``(B,)``."""
        return self.pixels.flatten(1).sum(1)


def set_size(k: float, pixels: int, metric: str) -> int:
    """Pixels in a set: ``k`` of them, or, below 1, that share of ``pixels``, rounded, and 1 at least.

    Raises:
        XaiboardError: ``k`` is not positive, or above 1 and not whole, or greater than ``pixels``.
    """
    if 0 < k < 1:
        return max(1, round(k * pixels))
    if not k >= 1 or k % 1:
        raise SettingError(
            f"setting 'k' of '{metric}' must be at least 1 and whole (a number of pixels) or between 0 and 1 (a share"
            f" of them); got '{k:g}'"
        )
    if k > pixels:
        raise XaiboardError(
            f"setting 'k' of '{metric}' must be at most the {pixels} pixels of a map; got '{k:g}'"
        )
    return int(k)


def leading(values: Tensor, count: int, reference: Arithmetic = "clean") -> tuple[Tensor, Tensor]:
    """The ``count`` largest of ``values (B, P)`` in descending order: their levels and indices, ``(B, count)`` each.

    Values of one level are ties. They go to the lowest index, and values equal up to floating-point noise are of
    one level; the released arithmetic compares values as they are and gives ties to the highest index.
    """
    if reference == "released":
        index = values.argsort(dim=1, stable=True).flip(1)[:, :count]
        return values.gather(1, index), index
    pixels = values.shape[1]
    # One integer holds value and tie-break, so that a partial sort does.
    keys = quantise(values) * pixels + torch.arange(pixels - 1, -1, -1, device=values.device)
    keys = keys.topk(count).values
    return keys // pixels, pixels - 1 - keys % pixels


def top_pixels(attribution: Tensor, k: float, metric: str, reference: Arithmetic = "clean") -> Chosen:
    """The ``k`` pixels of largest magnitude.

    Raises:
        XaiboardError: no set has ``k`` pixels (:func:`set_size`).
    """
    values = magnitudes(attribution)
    pixels = prod(values.shape[1:])
    size = set_size(k, pixels, metric)
    levels, index = leading(values.flatten(1), min(size + 1, pixels), reference)  # the next one tells of ties
    chosen = torch.zeros_like(values).flatten(1).scatter_(1, index[:, :size], 1.0)
    return Chosen(chosen.view_as(values), tie_share(levels, chosen.gather(1, index)))


def tie_share(levels: Tensor, chosen: Tensor) -> Tensor:
    """Share of a set with the level of a candidate outside it, ``(B,)``.

    Args:
        levels: of the candidates, in descending order, ``(B, N)``.
        chosen: 1 for the members of the set, ``(B, N)``.
    """
    group = torch.zeros(levels.shape, dtype=torch.int64, device=levels.device)
    group[:, 1:] = (levels[:, 1:] != levels[:, :-1]).cumsum(1)
    outside = torch.zeros_like(chosen).scatter_add_(1, group, 1 - chosen)
    tied = chosen * (outside.gather(1, group) > 0)
    return tied.sum(1) / chosen.sum(1).clamp_min(1)


def dilate(chosen: Tensor, window: int) -> Tensor:
    """The greatest value at most ``window`` rows and columns away, ``(B, H, W)``, cut at the border."""
    return running_max(running_max(chosen, window, 1), window, 2)


def running_max(values: Tensor, window: int, dim: int) -> Tensor:
    """The greatest value at most ``window`` steps away along ``dim`` of ``values (B, H, W)``, cut at the border."""
    window = min(window, values.shape[dim])
    border = (0, 0) * (2 - dim) + (window, window)
    longest = pad(values, border, value=-torch.inf)
    width, full = 1, 2 * window + 1
    while width < full:  # of two windows that overlap or touch, a wider one: much faster than max-pooling
        step = min(width, full - width)
        length = longest.shape[dim] - step
        longest = torch.maximum(longest.narrow(dim, 0, length), longest.narrow(dim, step, length))
        width += step
    return longest
