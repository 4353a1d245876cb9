"""Sets of top pixels: which they are, and how they spread."""

from math import prod
from typing import Annotated, Literal, NamedTuple

import torch
from annotated_types import Predicate
from torch import Tensor
from torch.nn.functional import pad

from ..errors import XaiboardError
from .per_side import per_side
from .pixels import magnitudes, quantise
from .ranges import AsksFor, Range

Arithmetic = Literal["clean", "released"]
"""Whether sets are those of the paper's definitions, or of the code released with LENS (:mod:`.lens_released`)."""


def _is_size(k: float) -> bool:
    """At least 1 and whole (a number of pixels) or between 0 and 1 (a share of them)."""
    return 0 < k < 1 or (k >= 1 and k % 1 == 0)


PixelCount = Annotated[float, Predicate(_is_size), AsksFor("pixels")]
"""A number of pixels or, below 1, a share of the pixels of a map."""


LENS_WINDOW = per_side("s / 64 pixels, rounded, at least 1", lambda side: max(1, round(side / 64)))
"""Default radius of a window that forgives moves, with ``k`` in proportion to the side of the image.

At every size a random set of so many pixels has about the same share within the windows, the chance level of LENS.
"""


class Chosen(NamedTuple):
    """A set of pixels for each map.

    Args:
        pixels: 1 at the members of the set, 0 elsewhere, ``(B, H, W)``.
        ties: share of the members that have the same magnitude as a pixel outside the set, ``(B,)``. Only these members
            depend on how ties are broken.
    """

    pixels: Tensor
    ties: Tensor

    @property
    def size(self) -> Tensor:
        """Number of members, ``(B,)``."""
        return self.pixels.flatten(1).sum(1)


def set_size(k: float, pixels: int, metric: str) -> int:
    """Number of pixels in a set: ``k``, or, if ``k`` is below 1, that share of ``pixels``, rounded, but at least 1.

    Args:
        k: number or share of pixels.
        pixels: number of pixels of the map.
        metric: name of the component whose setting ``k`` is.

    Raises:
        XaiboardError: ``k`` is not positive, or above 1 and not whole, or greater than ``pixels``.
    """
    Range((Predicate(_is_size),)).check(metric, "k", k)
    if k < 1:
        return max(1, round(k * pixels))
    if k > pixels:
        raise XaiboardError(
            f"setting 'k' of '{metric}' must be at most the {pixels} pixels of a map; got '{k:g}'"
        )
    return int(k)


def leading(values: Tensor, count: int, reference: Arithmetic = "clean") -> tuple[Tensor, Tensor]:
    """Levels and indices of the ``count`` largest of ``values (B, P)``, in descending order, ``(B, count)`` each.

    Values of the same level are ties. Values that are equal up to floating-point noise have the same level, and the
    lowest index comes first. The released arithmetic compares exact values, and the highest index comes first.
    """
    if reference == "released":
        index = values.argsort(dim=1, stable=True).flip(1)[:, :count]
        return values.gather(1, index), index
    pixels = values.shape[1]
    # one integer holds both the value and the order of ties, so that one partial sort is enough
    keys = quantise(values) * pixels + torch.arange(pixels - 1, -1, -1, device=values.device)
    keys = keys.topk(count).values
    return keys // pixels, pixels - 1 - keys % pixels


def top_pixels(attribution: Tensor, k: float, metric: str, reference: Arithmetic = "clean") -> Chosen:
    """The ``k`` pixels of largest magnitude.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
        k: number or share of pixels.
        metric: name of the component whose setting ``k`` is.
        reference: how ties are broken (:func:`leading`).

    Raises:
        XaiboardError: no set has ``k`` pixels (:func:`set_size`).
    """
    values = magnitudes(attribution)
    pixels = prod(values.shape[1:])
    size = set_size(k, pixels, metric)
    levels, index = leading(
        values.flatten(1), min(size + 1, pixels), reference
    )  # one more pixel shows whether the last one is tied
    chosen = torch.zeros_like(values).flatten(1).scatter_(1, index[:, :size], 1.0)
    return Chosen(chosen.view_as(values), tie_share(levels, chosen.gather(1, index)))


def tie_share(levels: Tensor, chosen: Tensor) -> Tensor:
    """Share of a set's members that have the same level as a candidate outside the set, ``(B,)``.

    Args:
        levels: levels of the candidates, in descending order, ``(B, N)``.
        chosen: 1 for the members of the set, 0 for the other candidates, ``(B, N)``.
    """
    group = torch.zeros(levels.shape, dtype=torch.int64, device=levels.device)
    group[:, 1:] = (levels[:, 1:] != levels[:, :-1]).cumsum(1)
    outside = torch.zeros_like(chosen).scatter_add_(1, group, 1 - chosen)
    tied = chosen * (outside.gather(1, group) > 0)
    return tied.sum(1) / chosen.sum(1).clamp_min(1)


def dilate(chosen: Tensor, window: int) -> Tensor:
    """Largest value at most ``window`` rows and columns from each pixel, ``(B, H, W)``; windows end at the border."""
    return running_max(running_max(chosen, window, 1), window, 2)


def running_max(values: Tensor, window: int, dim: int) -> Tensor:
    """Largest of ``values (B, H, W)`` at most ``window`` steps away along ``dim``; windows end at the border."""
    window = min(window, values.shape[dim])
    border = (0, 0) * (2 - dim) + (window, window)
    longest = pad(values, border, value=-torch.inf)
    width, full = 1, 2 * window + 1
    while width < full:  # two windows that overlap or touch make a wider one: much faster than max-pooling
        step = min(width, full - width)
        length = longest.shape[dim] - step
        longest = torch.maximum(longest.narrow(dim, 0, length), longest.narrow(dim, step, length))
        width += step
    return longest
