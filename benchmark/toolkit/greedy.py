"""Greedy picking of pixels, each of which removes its neighbours, in a few passes over the whole batch."""

from collections.abc import Callable

import torch
from torch import Tensor


def greedy(priority: Tensor, k: int, spread: Callable[[Tensor], Tensor]) -> Tensor:
    """1 at the first ``k`` picks in descending order of ``priority``, 0 elsewhere, ``(B, H, W)``.

    A pick removes its neighbours from the candidates. In each round, all pixels that are the highest of their
    neighbourhood are picked at once. No higher pixel can remove them, so the result is that of picking one by one.
    Random maps take a few rounds; a ramp or a constant map takes as many rounds as it is long.

    Args:
        priority: distinct positive numbers for the candidates, 0 for other pixels, ``(B, H, W)``.
        k: number of picks.
        spread: replaces each value of a map ``(B, H, W)`` by the largest one in its neighbourhood.
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
