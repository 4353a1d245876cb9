"""Local Lipschitz estimate: the largest slope of the map in a small neighbourhood."""

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.rng import SampleRng
from .cosine import unit
from .shared.neighbours import Explain, neighbours


@metric(
    family="stability",
    higher_is_better=False,
    source="Alvarez-Melis & Jaakkola 2018, arXiv:1806.08049",
    columns={"unit": Column(higher_is_better=False, across_models=True)},
)
def local_lipschitz_estimate(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    radius: float = 0.02,
    draws: int = 10,
) -> dict[str, Tensor]:
    """Largest ``|e(x') - e(x)|_2 / |x' - x|_2`` among random neighbours, ``(B,)``; lower is better.

    Of the explanation, not of the model (that is ``lipschitz``). A lower bound of the local constant: the paper
    searches the ball, here it is sampled, uniformly in ``|x' - x|_inf <= radius`` and without clamping. ``explain``
    draws the same random numbers at every call, so a stochastic method is not charged for its own noise.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``; signed, all channels.
        rng: random numbers of each sample.
        radius: of the sup-norm ball, in units of ``x``; 0 gives 0.
        draws: neighbours of each sample.

    Returns:
        The slope, in the attribution's unit per unit of ``x``: comparable within one model and method only; ``unit``,
        that of ``e / |e|_2`` (zero where the map is), which does not know the scale of the map. A map that never
        changes scores 0 in both.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, or ``radius`` is negative.
    """
    slope = directions = torch.zeros_like(x.flatten(1)[:, 0])
    for near, nearby in neighbours("local_lipschitz_estimate", explain, x, rng, radius=radius, draws=draws):
        step = vector_norm((near - x).flatten(1), dim=1).clamp_min(torch.finfo(x.dtype).tiny)
        slope = slope.maximum(vector_norm((nearby - attribution).flatten(1), dim=1) / step)
        directions = directions.maximum(vector_norm(unit(nearby) - unit(attribution), dim=1) / step)
    return {"": slope, "unit": directions}
