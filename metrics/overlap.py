"""Sets of top pixels: which they are, how they spread, and how much of them chance would share."""

from math import prod

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from ..benchmark.errors import XaiboardError, at_least
from .pixels import largest, magnitudes


def top_pixels(attribution: Tensor, k: int, metric: str) -> Tensor:
    """1 at the ``k`` pixels of largest magnitude, 0 elsewhere, ``(B, H, W)``; ties go to the lowest index.

    Raises:
        XaiboardError: ``k`` is smaller than 1 or greater than the number of pixels.
    """
    at_least(1, metric, k=k)
    values = magnitudes(attribution)
    pixels = prod(values.shape[1:])
    if k > pixels:
        raise XaiboardError(
            f"setting 'k' of '{metric}' must be at most the {pixels} pixels of a map; got '{k}'"
        )
    chosen = torch.zeros_like(values).flatten(1)
    return chosen.scatter_(1, largest(values.flatten(1), k), 1.0).view_as(values)


def dilate(chosen: Tensor, window: int) -> Tensor:
    """The pixels at most ``window`` rows and columns from a chosen one, ``(B, H, W)``, cut at the border."""
    for kernel, side in (((1, 0), chosen.shape[1]), ((0, 1), chosen.shape[2])):
        reach = tuple(min(window, side) * axis for axis in kernel)
        size = tuple(2 * width + 1 for width in reach)
        chosen = max_pool2d(chosen[:, None], size, stride=1, padding=reach)[:, 0]
    return chosen


def shared_share(found: Tensor, accepted: Tensor, k: int) -> dict[str, Tensor]:
    """Share of the ``k`` pixels of ``found`` that lie in ``accepted``, beside its chance level, ``(B,)`` each.

    ``chance`` is the expected share of a uniformly random set; ``above_chance`` puts it at 0 and full agreement
    at 1, and is 0 where chance alone agrees fully.
    """
    share = (found * accepted).flatten(1).sum(1) / k
    chance = accepted.flatten(1).mean(1)
    above = (share - chance) / (1 - chance).clamp_min(torch.finfo(chance.dtype).tiny)
    return {"": share, "chance": chance, "above_chance": torch.where(chance < 1, above, 0.0)}
