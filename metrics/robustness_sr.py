"""Robustness-S_r: how far an attack must go if it may change only the most important pixels."""

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.pgd import margin
from ..benchmark.toolkit.pixels import channels, descending_order, pixel_values
from ..benchmark.toolkit.ranges import Count, ProperShare
from ..benchmark.toolkit.rng import SampleRng
from .shared.box_distance import nearest_in_box
from .shared.subsets import over_channels

START = 0.1
"""First radius of the attack, as a root mean square over all values.

From an L2 norm of 1, the start of the original attack, 40 steps would find too few images.
"""


@dataclass(frozen=True)
class AttackedSets:
    """Sets of top pixels of several sizes, and the attack that may change only them.

    Args:
        sizes: number of set sizes, equally spaced up to the largest.
        largest: size of the largest set, as a share of the pixels.
        steps: number of steps of the attack for each size; each costs a forward and a backward pass.
    """

    sizes: Count = 5
    largest: ProperShare = 0.5
    steps: Count = 40


def random_set_distances(
    model: nn.Module, x: Tensor, target: Tensor, rng: SampleRng, *, sets: AttackedSets = AttackedSets()
) -> Tensor:
    """Distances when random sets of pixels may change, and then when all pixels may, ``(B, sizes + 1)``."""
    order = rng.permutation(x, channels(x).shape[2])
    free = _attack(model, x, target, sets.steps)[:, :1]
    return torch.cat([_distances(model, x, target, order, sets)[0], free], dim=1)


@metric(
    family="faithfulness",
    higher_is_better=False,
    range=(0, inf),
    source="Hsieh et al. 2021, arXiv:2006.00442",
    columns={
        "vs_random": Column(higher_is_better=False, across_models=True, range=(0, inf)),
        "vs_free": Column(higher_is_better=False, across_models=True, range=(0, inf)),
        "found": Column(across_models=True, range=(0, 1)),
    },
    shared=[random_set_distances],
)
def robustness_sr(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    random_set_distances: Tensor,
    *,
    sets: AttackedSets = AttackedSets(),
) -> dict[str, Tensor | Weighted]:
    """L2 distance to another prediction when only the top pixels may change, averaged over set sizes, ``(B,)``.

    In units of ``x``; lower is better: it says that the prediction rests on these pixels. For each set an attack (DDN
    on the margin, then bisection) searches images in ``[0, 1]`` with another prediction. The distance that it finds is
    an upper bound, and holds for the larger sets too. Pixels are ranked by the signed sum over channels, ties at
    random.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``; the attack succeeds where another class is predicted.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        random_set_distances: distances for random sets of the same sizes, then for all pixels, ``(B, sizes + 1)``.
        sets: the sets of top pixels, and the attack.

    Returns:
        The distance; it compares only within one model. It is 0 where another class is predicted to begin with, and the
        distance of the farthest image in ``[0, 1]`` where nothing is found, as in ``attack_distance``. The other
        columns do not change when all logits are scaled, so they compare across models. ``vs_random``: ratio of the
        distance to that for random sets of the same sizes (a ratio of means, lower is better). ``vs_free``: ratio of
        the distance to that when all pixels may change (likewise). ``found``: share of the set sizes at which another
        prediction was found. ``curve``: the distance for each set size, ``(B, sizes)``.
    """
    order = descending_order(pixel_values(attribution), rng)
    curve, found = _distances(model, x, target, order, sets)
    area = curve.mean(1)
    rival, free = random_set_distances[:, :-1].mean(1), random_set_distances[:, -1]
    return {
        "": area,
        "vs_random": _ratio(area, rival),
        "vs_free": _ratio(area, free),
        "found": found.mean(1),
        "curve": curve,
    }


def _distances(
    model: nn.Module, x: Tensor, target: Tensor, order: Tensor, sets: AttackedSets
) -> tuple[Tensor, Tensor]:
    """Distance when the first pixels of ``order`` may change, and whether it was found, ``(B, sizes)`` each."""
    results = []
    for size in range(1, sets.sizes + 1):
        first = order[:, : max(1, round(size / sets.sizes * sets.largest * order.shape[1]))]
        mask = over_channels(x.new_zeros(order.shape).scatter(1, first, 1.0), x)
        results.append(_attack(model, x, target, sets.steps, mask))
    distance, found = torch.stack(results, dim=1).unbind(2)
    return distance.cummin(1).values, found.cummax(1).values


def _attack(model: nn.Module, x: Tensor, target: Tensor, steps: int, mask: Tensor | None = None) -> Tensor:
    """Distance to another prediction, and whether one was found, ``(B, 2)``."""
    start = START * x[0].numel() ** 0.5
    return nearest_in_box(model, x, target, losses=[margin], steps=steps, start=start, mask=mask)


def _ratio(distance: Tensor, other: Tensor) -> Weighted:
    """Ratio of distances, weighted so that its mean is the ratio of the means."""
    return Weighted(torch.where(other > 0, distance / other, 1.0), other)
