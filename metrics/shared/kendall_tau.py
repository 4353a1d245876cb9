"""Kendall's tau-b, a whole batch at a time in ``N log N`` steps."""

import torch
from torch import Tensor

from ...benchmark.toolkit.pixels import quantise


def kendall_tau(a: Tensor, b: Tensor) -> Tensor:
    """Tau-b of the rows of ``a`` and ``b (B, N)``, ``(B,)``: how much oftener a pair agrees than it disagrees.

    Values equal up to floating-point noise are ties (:func:`~xaiboard.benchmark.pixels.quantise`). A constant row
    orders nothing: its correlation is 0.
    """
    first, second = (quantise(values) for values in (a, b))
    span = 2 * int(second.abs().max()) + 1 if second.numel() else 1
    keys, order = (first * span + second).sort(1)  # by the first, then by the second
    both, tied_first = _tied_pairs(keys), _tied_pairs(first.gather(1, order))
    ascending, place = second.gather(1, order).sort(dim=1, stable=True)
    tied_second = _tied_pairs(ascending)
    rank = torch.empty_like(place).scatter_(1, place, torch.arange(a.shape[1]).to(place).expand_as(place))
    pairs = a.shape[1] * (a.shape[1] - 1) // 2
    # Neither a pair that ties in the first nor one that ties in the second is an inversion of these ranks.
    surplus = pairs - tied_first - tied_second + both - 2 * inversions(rank)
    scale = (pairs - tied_first).double().sqrt() * (pairs - tied_second).double().sqrt()
    return torch.where(scale > 0, surplus / scale.clamp_min(1), 0.0).clamp(-1, 1).to(a.dtype)


def inversions(rank: Tensor) -> Tensor:
    """Pairs that stand in the wrong order in each row, a permutation of ``0 ... N - 1``, int64 ``(B,)``.

    Bit by bit from the highest: of two ranks that first differ in this bit, the one with 0 belongs before the other.
    Ranks equal in the higher bits stand together, in the order in which they came.
    """
    here, count = rank, torch.zeros(len(rank), dtype=torch.int64, device=rank.device)
    place = torch.arange(rank.shape[1], device=rank.device).expand_as(rank)
    for bit in reversed(range((rank.shape[1] - 1).bit_length())):
        one = (here >> bit) & 1
        start = (here >> (bit + 1)) << (bit + 1)  # where the group begins, since no rank is missing
        before = one.cumsum(1) - one
        before = before - before.gather(1, start)
        count += (before * (1 - one)).sum(1)
        target = torch.where(one > 0, start + (1 << bit) + before, place - before)
        here = torch.empty_like(here).scatter_(1, target, here)
    return count


def _tied_pairs(ascending: Tensor) -> Tensor:
    """Pairs of equal values in each row of sorted ``ascending (B, N)``, ``(B,)``."""
    place = torch.arange(ascending.shape[1], device=ascending.device)
    new = torch.ones_like(ascending, dtype=torch.bool)
    new[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    start = torch.where(new, place, 0).cummax(1).values
    return (place - start).sum(1)
