"""Random inputs around a sample, and how far its map moves there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ...benchmark.toolkit.ranges import Count, NotNegative
from ...benchmark.toolkit.rng import SampleRng

Explain = Callable[[Tensor], Tensor]

FLOOR = 0.01
"""The norm of a map counts as at least this share of the largest norm nearby."""

LARGEST_CHANGE = 1 + 1 / FLOOR
"""Bound of a relative change: that of the smallest norm that counts to an opposite map of the largest norm nearby."""


@dataclass(frozen=True)
class Around:
    """Random inputs around each sample, uniform in a ball of the sup norm; the method explains each of them.

    Args:
        radius: radius of the ball, in units of ``x``.
        draws: number of random inputs around each sample; each costs an explanation.
    """

    radius: NotNegative = 0.02
    draws: Count = 10


def neighbours(
    explain: Explain, x: Tensor, rng: SampleRng, around: Around
) -> Iterator[tuple[Tensor, Tensor]]:
    """Random inputs around ``x``, each with its map; both are shaped like ``x``, and not clamped to ``[0, 1]``."""
    radius = around.radius
    for _ in range(around.draws):
        nearby = x + rng.uniform(x, -radius, radius)
        yield nearby, explain(nearby)


def relative_changes(
    explain: Explain, x: Tensor, attribution: Tensor, rng: SampleRng, around: Around
) -> Tensor:
    """``|e(x + d) - e(x)| / |e(x)|`` of each random input, ``(draws, B)``, with a denominator as :data:`FLOOR` says."""
    norm = vector_norm(attribution.flatten(1), dim=1)
    changes, highest = [], norm
    for _, nearby in neighbours(explain, x, rng, around):
        changes.append(vector_norm((nearby - attribution).flatten(1), dim=1))
        highest = torch.maximum(highest, vector_norm(nearby.flatten(1), dim=1))
    floor = (FLOOR * highest).clamp_min(torch.finfo(norm.dtype).tiny)
    return torch.stack(changes) / torch.maximum(norm, floor)
