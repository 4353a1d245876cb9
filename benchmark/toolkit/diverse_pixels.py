"""Top-k-div: the largest pixels that lie apart from each other, for a whole batch at once."""

from functools import partial
from math import prod

import torch
from torch import Tensor

from .checks import at_least
from .greedy import greedy
from .lens_released import flat_greedy
from .pixels import magnitudes
from .top_pixels import Arithmetic, Chosen, dilate, leading, set_size, tie_share


def diverse_pixels(
    attribution: Tensor, k: float, window: int, metric: str, reference: Arithmetic = "clean"
) -> Chosen:
    """The pixel of largest magnitude, then the largest outside its window, and so on, until there are ``k`` or no more.

    Args:
        attribution: ``(B, C, H, W)`` or ``(B, F)``.
        k: number of pixels or, below 1, their share of the pixels.
        window: no two members are this many or fewer rows and columns apart.
        metric: name of the component whose settings ``k`` and ``window`` are.
        reference: ``clean``, or ``released`` for the sets that the released code computes.

    Raises:
        XaiboardError: no set has ``k`` pixels (:func:`.top_pixels.set_size`), or ``window`` is negative.
    """
    at_least(0, metric, window=window)
    values = magnitudes(attribution)
    pixels = prod(values.shape[1:])
    size = set_size(k, pixels, metric)
    # a pick removes at most one window, so the last pick is among this many largest pixels
    candidates = pixels if reference == "released" else min(pixels, (size - 1) * (2 * window + 1) ** 2 + 2)
    levels, index = leading(values.flatten(1), candidates, reference)
    rank = torch.arange(
        candidates, 0, -1, device=values.device, dtype=torch.float32
    )  # exact up to 2 ** 24 pixels
    priority = torch.zeros(values.shape, device=values.device).flatten(1)
    priority = priority.scatter_(1, index, rank.expand_as(index)).view_as(values)
    if reference == "released":
        chosen = flat_greedy(priority, size, window)
    else:
        chosen = greedy(priority, size, partial(dilate, window=window))
    chosen = chosen.to(values)
    return Chosen(chosen, tie_share(levels, chosen.flatten(1).gather(1, index)))
