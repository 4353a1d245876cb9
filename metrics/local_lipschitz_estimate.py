"""Local Lipschitz estimate: the largest slope of the map in a small neighbourhood."""

from math import inf

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import Around, Explain, neighbours
from .shared.unit import unit


@metric(
    family="stability",
    higher_is_better=False,
    range=(0, inf),
    source="Alvarez-Melis & Jaakkola 2018, arXiv:1806.08049",
    columns={"unit": Column(higher_is_better=False, across_models=True, range=(0, inf))},
)
def local_lipschitz_estimate(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    around: Around = Around(),
) -> dict[str, Tensor]:
    """Largest ``|e(x') - e(x)|_2 / |x' - x|_2`` among random inputs around ``x``, ``(B,)``; lower is better.

    It estimates the local Lipschitz constant of the explanation, from below; that of the model is ``lipschitz``. The
    paper searches the ball for the largest ratio. Here the ball ``|x' - x|_inf <= radius`` is sampled uniformly,
    without clamping. ``explain`` draws the same random numbers at every call, so a stochastic method is not charged for
    its own noise.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``; signed, all channels.
        rng: random numbers of each sample.
        around: the random inputs around ``x``; with a radius of 0 the score is 0.

    Returns:
        The largest ratio, in the attribution's unit per unit of ``x``; it compares only within one model and method.
        ``unit``: the largest ratio for maps scaled to norm 1 (an all-zero map stays zero), which does not depend on the
        scale of the map. Both are 0 for a map that never changes.
    """
    slope = directions = torch.zeros_like(x.flatten(1)[:, 0])
    for near, nearby in neighbours(explain, x, rng, around):
        step = vector_norm((near - x).flatten(1), dim=1).clamp_min(torch.finfo(x.dtype).tiny)
        slope = slope.maximum(vector_norm((nearby - attribution).flatten(1), dim=1) / step)
        directions = directions.maximum(vector_norm(unit(nearby) - unit(attribution), dim=1) / step)
    return {"": slope, "unit": directions}
