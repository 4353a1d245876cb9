"""Stability: how far the map of a random neighbour lies from the map of the input, by rank and by L2 distance."""

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.pixels import pixel_values
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import Explain, neighbours
from .shared.rank_correlation import spearman


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    source="Serrurier et al. 2023, arXiv:2206.06854",
    columns={"l2": Column(higher_is_better=False)},
)
def stability(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    radius: float = 0.1,
    draws: int = 20,
) -> dict[str, Tensor]:
    """Mean over random neighbours of one minus Spearman's correlation with the map of ``x``, ``(B,)``, in ``[0, 2]``.

    0 when no neighbour changes the order of the pixels, 1 for unrelated maps; lower is better. A pixel's value is the
    signed sum over channels; values equal up to floating-point noise are ties. A constant map orders nothing: it
    scores 1, also beside another constant one. ``explain`` draws the same random numbers at every call, so a
    stochastic method is not charged for its own noise.

    The paper's radius is unknown; these are the defaults of Xplique's AverageStability, whose noise is one-sided,
    ``d >= 0``, and the same for all images. Neighbours are not clamped to ``[0, 1]``.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: random numbers of each sample.
        radius: of the sup-norm ball, in units of ``x``.
        draws: neighbours of each sample.

    Returns:
        The distance by rank; ``l2``, the mean L2 distance of the signed maps, all channels, in the attribution's own
        unit: comparable within one model and method only.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, or ``radius`` is negative.
    """
    values = pixel_values(attribution)
    by_rank, apart = [], []
    for _, nearby in neighbours("stability", explain, x, rng, radius=radius, draws=draws):
        by_rank.append(1 - spearman(values, pixel_values(nearby)))
        apart.append(vector_norm((nearby - attribution).flatten(1), dim=1))
    return {"": torch.stack(by_rank).mean(0), "l2": torch.stack(apart).mean(0)}
