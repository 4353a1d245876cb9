"""Max-sensitivity: the largest relative change of the map in a small neighbourhood."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.errors import at_least
from ..benchmark.registry import metric
from ..benchmark.rng import SampleRng

Explain = Callable[[Tensor], Tensor]

FLOOR = 0.01
"""A map's norm counts as at least this share of the largest norm met nearby."""


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    source="Yeh et al. 2019, arXiv:1901.09392, def. 2",
)
def max_sensitivity(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    radius: float = 0.02,
    draws: int = 10,
) -> Tensor:
    """Monte Carlo maximum of ``|e(x + d) - e(x)| / |e(x)|`` over ``|d|_inf <= radius``, ``(B,)``; lower is better.

    Perturbed inputs are not clamped to ``[0, 1]``, as in the paper. ``explain`` draws the same random numbers
    at every call, so a stochastic method is not charged for its own noise. A map that vanishes at ``x`` but not
    nearby has an infinite ratio; its norm is raised to ``FLOOR`` of the largest norm nearby, which bounds the score
    by about ``1 / FLOOR`` whatever the unit of the attribution. An always vanishing map scores 0.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: random numbers of each sample.
        radius: of the sup-norm ball, in units of ``x``.
        draws: perturbed inputs of each sample.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, or ``radius`` is negative.
    """
    at_least(1, "max_sensitivity", draws=draws)
    at_least(0, "max_sensitivity", radius=radius)
    norm = vector_norm(attribution.flatten(1), dim=1)
    change, highest = torch.zeros_like(norm), norm
    for _ in range(draws):
        nearby = explain(x + rng.uniform(x, -radius, radius))
        change = torch.maximum(change, vector_norm((nearby - attribution).flatten(1), dim=1))
        highest = torch.maximum(highest, vector_norm(nearby.flatten(1), dim=1))
    floor = (FLOOR * highest).clamp_min(torch.finfo(norm.dtype).tiny)
    return change / torch.maximum(norm, floor)
