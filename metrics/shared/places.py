"""Where each value of a row stands among the values of the row."""

import torch
from torch import Tensor


def places(values: Tensor) -> tuple[Tensor, Tensor]:
    """How many values of its row are smaller than each one, and how many are not larger, int64 ``(B, N)`` each.

    Args:
        values: integers, ``(B, N)``; equal ones are tied, and get the same two numbers.
    """
    ascending, order = values.sort(1)
    rises = ascending.diff(dim=1) != 0
    edge = torch.ones_like(ascending[:, :1], dtype=torch.bool)
    before = torch.arange(values.shape[1], device=values.device)
    # the first place of a run of equal values holds for the run, and so does its last one, counted from the right
    below = torch.where(torch.cat([edge, rises], 1), before, 0).cummax(1).values
    above = torch.where(torch.cat([edge, rises.flip(1)], 1), before, 0).cummax(1).values.flip(1)
    return below.scatter(1, order, below), below.scatter(1, order, values.shape[1] - above)
