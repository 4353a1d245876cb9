"""Greedy picking of pixels that delete their neighbours, in a few passes over the whole batch."""

from collections.abc import Callable

import torch
from torch import Tensor


def greedy(priority: Tensor, k: int, spread: Callable[[Tensor], Tensor]) -> Tensor:
    """1 at the first ``k`` picks in the order of ``priority``, each pick deleting its neighbours, ``(B, H, W)``.

    All pixels that are the highest of their neighbourhood are picked at once: nothing higher can delete them, so it
    is what picking one by one gives. Noise takes a few rounds, a ramp or a constant map as many as it is long.

    Args:
        priority: distinct positive numbers for the candidates, 0 for other pixels, ``(B, H, W)``.
        k: number of picks.
        spread: the greatest value in the neighbourhood of each pixel, shaped like what it is given.
    """
    picked = torch.zeros_like(priority)
    rows, left = torch.arange(len(priority), device=priority.device), priority
    while len(rows):
        peaks = torch.where(spread(left) == left, left, 0.0)
        picked[rows] += peaks
        left = left.masked_fill(spread(peaks) > 0, 0)
        unfinished = left.flatten(1).any(1)
        rows, left = rows[unfinished], left[unfinished]
    flat = picked.flatten(1)
    first = flat.topk(min(k, flat.shape[1]))
    return torch.zeros_like(flat).scatter_(1, first.indices, (first.values > 0).to(flat)).view_as(priority)
