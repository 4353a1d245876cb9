"""Kendall's tau-b, for a whole batch at once, in a time of ``N log N``."""

import torch
from torch import Tensor

from ...benchmark.toolkit.pixels import quantise


def kendall_tau(a: Tensor, b: Tensor) -> Tensor:
    """Tau-b of the rows of ``a`` and ``b (B, N)``, ``(B,)``.

    It is the number of pairs that both rows order alike, minus those that they order differently, divided by the
    geometric mean of the numbers of pairs without a tie. Values that are equal up to floating-point noise are ties
    (:func:`~xaiboard.benchmark.toolkit.pixels.quantise`). A constant row has no order, and tau 0.
    """
    first, second = (quantise(values) for values in (a, b))
    span = 2 * int(second.abs().max()) + 1 if second.numel() else 1
    keys, order = (first * span + second).sort(1)  # sorted by the first, ties by the second
    both, tied_first = _tied_pairs(keys), _tied_pairs(first.gather(1, order))
    ascending, place = second.gather(1, order).sort(dim=1, stable=True)
    tied_second = _tied_pairs(ascending)
    rank = torch.empty_like(place).scatter_(1, place, torch.arange(a.shape[1]).to(place).expand_as(place))
    pairs = a.shape[1] * (a.shape[1] - 1) // 2
    # a pair that is tied in either row is no inversion of these ranks
    surplus = pairs - tied_first - tied_second + both - 2 * inversions(rank)
    scale = (pairs - tied_first).double().sqrt() * (pairs - tied_second).double().sqrt()
    return torch.where(scale > 0, surplus / scale.clamp_min(1), 0.0).clamp(-1, 1).to(a.dtype)


def inversions(rank: Tensor) -> Tensor:
    """Number of pairs in the wrong order in each row, a permutation of ``0 ... N - 1``, int64 ``(B,)``.

    Ranks are sorted bit by bit, from the highest bit down. Of two ranks that are equal in the higher bits, the one with
    a 0 in this bit belongs first; where a 1 stands before it, the pair is counted. After each bit, ranks with equal
    higher bits stand together, in their original order.
    """
    here, count = rank, torch.zeros(len(rank), dtype=torch.int64, device=rank.device)
    place = torch.arange(rank.shape[1], device=rank.device).expand_as(rank)
    for bit in reversed(range((rank.shape[1] - 1).bit_length())):
        one = (here >> bit) & 1
        start = (here >> (bit + 1)) << (
            bit + 1
        )  # where the group of equal higher bits begins, since no rank is missing
        before = one.cumsum(1) - one
        before = before - before.gather(1, start)
        count += (before * (1 - one)).sum(1)
        target = torch.where(one > 0, start + (1 << bit) + before, place - before)
        here = torch.empty_like(here).scatter_(1, target, here)
    return count


def _tied_pairs(ascending: Tensor) -> Tensor:
    """Number of pairs of equal values in each row of ``ascending (B, N)``, which is sorted, ``(B,)``."""
    place = torch.arange(ascending.shape[1], device=ascending.device)
    new = torch.ones_like(ascending, dtype=torch.bool)
    new[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    start = torch.where(new, place, 0).cummax(1).values
    return (place - start).sum(1)
