"""How many pixels two sets have in common, and how many they would have in common by chance."""

from math import inf

import torch
from torch import Tensor

from ...benchmark.components.kinds import Column


def overlap_columns(worst: float = -inf) -> dict[str, Column]:
    """Columns of a metric that compares sets. Only ``above_chance`` compares models: the share depends on chance.

    Args:
        worst: smallest ``above_chance``. It has no bound where chance can be almost 1, as that of large windows is.
            Where both sets have k of P pixels, it is -1: with no pixel in common, k is at most P / 2 and chance at most
            a half; larger sets have at least 2 k - P pixels in common.
    """
    return {
        "chance": Column(range=(0, 1)),
        "above_chance": Column(higher_is_better=True, across_models=True, range=(worst, 1)),
        "ties": Column(range=(0, 1)),
    }


def shared_share(found: Tensor, accepted: Tensor, size: Tensor | int) -> dict[str, Tensor]:
    """Share of ``found`` that is in ``accepted``, with its chance level, ``(B,)`` each.

    ``chance`` is the expected share if ``found`` is at a random place: if its pixels are drawn at random or, which
    gives the same, if the whole set is moved by random numbers of rows and columns around the border. ``above_chance``
    is on a scale from 0 at chance to 1 at full agreement; it is 0 where chance alone is full agreement.

    Args:
        found: 1 at the pixels of one set, 0 elsewhere, ``(B, H, W)``.
        accepted: 1 where such a pixel counts, 0 elsewhere, ``(B, H, W)``.
        size: number of pixels of which the share is taken, one for all or ``(B,)``.
    """
    share = (found * accepted).flatten(1).sum(1) / size
    chance = accepted.flatten(1).mean(1) * (found.flatten(1).sum(1) / size)
    above = (share - chance) / (1 - chance).clamp_min(torch.finfo(chance.dtype).tiny)
    return {"": share, "chance": chance, "above_chance": torch.where(chance < 1, above, 0.0)}
