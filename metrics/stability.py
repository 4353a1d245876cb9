"""Stability: how far the maps of random inputs around a sample are from its map, by rank and by L2 distance."""

from math import inf

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.pixels import pixel_values
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import Around, Explain, neighbours
from .shared.rank_correlation import spearman


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    range=(0, 2),
    source="Serrurier et al. 2023, arXiv:2206.06854",
    columns={"l2": Column(higher_is_better=False, range=(0, inf))},
)
def stability(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    around: Around = Around(radius=0.1, draws=20),
) -> dict[str, Tensor]:
    """One minus Spearman's correlation with the map of ``x``, mean over random inputs around it, ``(B,)``, 0 to 2.

    0 if the order of the pixels never changes, 1 for unrelated maps; lower is better. The value of a pixel is the
    signed sum over its channels. Values that are equal up to floating-point noise are ties. A constant map has no
    order, and scores 1, even compared with another constant map. ``explain`` draws the same random numbers at every
    call, so a stochastic method is not charged for its own noise.

    The radius of the paper is not known. The defaults are those of Xplique's AverageStability; its noise however has
    one sign, ``d >= 0``, and is the same for all images. Random inputs are not clamped to ``[0, 1]``.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: random numbers of each sample.
        around: the random inputs around ``x``.

    Returns:
        The distance by rank. ``l2``: mean L2 distance between the signed maps, all channels, in the attribution's own
        unit, so it compares only within one model and method.
    """
    values = pixel_values(attribution)
    by_rank, apart = [], []
    for _, nearby in neighbours(explain, x, rng, around):
        by_rank.append(1 - spearman(values, pixel_values(nearby)))
        apart.append(vector_norm((nearby - attribution).flatten(1), dim=1))
    return {"": torch.stack(by_rank).mean(0), "l2": torch.stack(apart).mean(0)}
