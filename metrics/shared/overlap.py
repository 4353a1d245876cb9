"""How much two sets of pixels share, and how much of it chance would."""

import torch
from torch import Tensor

from ...benchmark.components.kinds import Column

COLUMNS = {
    "chance": Column(),
    "above_chance": Column(higher_is_better=True, across_models=True),
    "ties": Column(),
}
"""Columns of a metric that compares sets; the share itself depends on how far the sets spread by chance."""


def shared_share(found: Tensor, accepted: Tensor, size: Tensor | int) -> dict[str, Tensor]:
    """Share of ``size`` pixels that are in ``found`` and in ``accepted``, beside its chance level, ``(B,)`` each.

    ``chance`` is the share that is expected when ``found`` comes to lie anywhere: its pixels drawn at random, or
    the set as it is moved by any number of rows and columns, around the border. ``above_chance`` puts that at 0 and
    full agreement at 1, and is 0 where chance alone agrees fully.
    """
    share = (found * accepted).flatten(1).sum(1) / size
    chance = accepted.flatten(1).mean(1) * (found.flatten(1).sum(1) / size)
    above = (share - chance) / (1 - chance).clamp_min(torch.finfo(chance.dtype).tiny)
    return {"": share, "chance": chance, "above_chance": torch.where(chance < 1, above, 0.0)}
