"""Inputs drawn around a sample, and how far its map moves there."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ...benchmark.toolkit.checks import at_least
from ...benchmark.toolkit.rng import SampleRng

Explain = Callable[[Tensor], Tensor]

FLOOR = 0.01
"""A map's norm counts as at least this share of the largest norm met nearby."""


def neighbours(
    metric: str, explain: Explain, x: Tensor, rng: SampleRng, *, radius: float, draws: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs ``x + d`` with ``d`` uniform in ``|d|_inf <= radius``, ``draws`` of them, each with its map.

    They are not clamped to ``[0, 1]``.

    Raises:
        XaiboardError: ``draws`` of ``metric`` is smaller than 1, or ``radius`` is negative.
    """
    at_least(1, metric, draws=draws)
    at_least(0, metric, radius=radius)
    for _ in range(draws):
        nearby = x + rng.uniform(x, -radius, radius)
        yield nearby, explain(nearby)


def relative_changes(
    metric: str,
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    radius: float,
    draws: int,
) -> Tensor:
    """``|e(x + d) - e(x)| / |e(x)|`` of each neighbour, ``(draws, B)``; the denominator is at least ``FLOOR``.

    Raises:
        XaiboardError: ``draws`` of ``metric`` is smaller than 1, or ``radius`` is negative.
    """
    norm = vector_norm(attribution.flatten(1), dim=1)
    changes, highest = [], norm
    for _, nearby in neighbours(metric, explain, x, rng, radius=radius, draws=draws):
        changes.append(vector_norm((nearby - attribution).flatten(1), dim=1))
        highest = torch.maximum(highest, vector_norm(nearby.flatten(1), dim=1))
    floor = (FLOOR * highest).clamp_min(torch.finfo(norm.dtype).tiny)
    return torch.stack(changes) / torch.maximum(norm, floor)
