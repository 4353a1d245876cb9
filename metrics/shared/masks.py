"""How much of a map lies in a mask, compared with a map that does not depend on the mask."""

from math import inf
from typing import Literal

import torch
from torch import Tensor

from ...benchmark.components.kinds import Column
from ...benchmark.errors import XaiboardError
from ...benchmark.toolkit.pixels import magnitudes, pixel_values, quantise
from .places import places

Relevance = Literal["signed", "absolute"]
"""What ranks the pixels: the signed sum over channels, or the sum of their magnitudes."""


def mask_columns(worst: float = -inf) -> dict[str, Column]:
    """Columns of a share that is compared with chance.

    Args:
        worst: smallest ``above_chance``. It has no bound where a map can miss a mask of almost all pixels. It is -1 for
            a set as large as the mask, as that of two sets of the same size is (:mod:`.overlap`).
    """
    return {
        "chance": Column(range=(0, 1)),
        "above_chance": Column(higher_is_better=True, across_models=True, range=(worst, 1)),
    }


def inside(mask: Tensor | None, attribution: Tensor, metric: str) -> Tensor:
    """The mask as 1 and 0 for each pixel of the map, ``(B, P)``, in the map's dtype.

    Raises:
        XaiboardError: there is no mask, or it is not shaped ``(B, 1, H, W)`` for a map ``(B, C, H, W)``.
    """
    if mask is None:
        raise XaiboardError(
            f"'{metric}' needs 'mask', where the explanation should point; this data has none"
        )
    if mask.shape != (len(attribution), 1, *attribution.shape[2:]):
        raise XaiboardError(
            f"'{metric}' needs a mask shaped {(len(attribution), 1, *attribution.shape[2:])} for a map shaped"
            f" {tuple(attribution.shape)}, got {tuple(mask.shape)}"
        )
    return mask.flatten(1).to(attribution)


def ranked(attribution: Tensor, relevance: Relevance) -> Tensor:
    """The values that rank pixels, ``(B, P)``."""
    return pixel_values(attribution) if relevance == "signed" else magnitudes(attribution).flatten(1)


class Ranking:
    """Ranking of pixels by value, with ties in random order: how likely each pixel is to be among the largest.

    Args:
        values: values of the pixels, ``(B, P)``; they are tied if they are equal up to floating-point noise.
    """

    def __init__(self, values: Tensor) -> None:
        below, upto = places(quantise(values))
        self.above = (values.shape[1] - upto).to(values)
        self.tied = (upto - below).to(values)

    def share(self, of: Tensor, size: Tensor | int) -> Tensor:
        """Expected share of the largest pixels that are in a set, ``(B,)``.

        Args:
            of: 1 at the pixels of the set, 0 elsewhere, ``(B, P)``.
            size: number of largest pixels, one for all or ``(B,)``; where it is 0 the share is 0.
        """
        size = torch.as_tensor(size).to(self.above)
        chosen = ((size.view(-1, 1) - self.above) / self.tied).clamp(0, 1)
        return (chosen * of).sum(1) / size.clamp_min(1)


def beside_chance(share: Tensor, accepted: Tensor) -> dict[str, Tensor]:
    """A share with its chance level, the share of ``accepted (B, P)`` among all pixels, ``(B,)`` each.

    ``above_chance`` is the share on a scale from 0 at chance to 1; it is 0 if every pixel is accepted.
    """
    chance = accepted.mean(1)
    above = (share - chance) / (1 - chance).clamp_min(torch.finfo(chance.dtype).tiny)
    return {"": share, "chance": chance, "above_chance": torch.where(chance < 1, above, 0.0)}
