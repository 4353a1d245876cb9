"""Robustness-S_r: how far an attack must go that may change the most important pixels alone."""

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.pgd import margin
from ..benchmark.toolkit.pixels import channels, descending_order, pixel_values
from ..benchmark.toolkit.rng import SampleRng
from .shared.box_distance import nearest_in_box
from .shared.subsets import over_channels, proper_share

START = 0.1
"""First radius of the attack, as a root mean square over all values: from 1 in L2, 40 steps reach too few images."""


def random_set_distances(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    sizes: int = 5,
    largest: float = 0.5,
    steps: int = 40,
) -> Tensor:
    """Distances when the pixels come in random order, and when all may change, ``(B, sizes + 1)``.

    The arguments are those of :func:`robustness_sr`.
    """
    at_least(1, "robustness_sr", sizes=sizes, steps=steps)
    proper_share("robustness_sr", largest=largest)
    order = rng.permutation(x, channels(x).shape[2])
    free = _attack(model, x, target, steps)[:, :1]
    return torch.cat([_distances(model, x, target, order, sizes, largest, steps)[0], free], dim=1)


@metric(
    family="faithfulness",
    higher_is_better=False,
    source="Hsieh et al. 2021, arXiv:2006.00442",
    columns={
        "vs_random": Column(higher_is_better=False, across_models=True),
        "vs_free": Column(higher_is_better=False, across_models=True),
        "found": Column(across_models=True),
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
    sizes: int = 5,
    largest: float = 0.5,
    steps: int = 40,
) -> dict[str, Tensor | Weighted]:
    """L2 distance to another prediction by a change of the top pixels alone, averaged over set sizes, ``(B,)``.

    In units of ``x``, lower is better: what the class rests on is among these pixels. An attack (DDN up the margin,
    then bisection) finds the distance, which is an upper bound, in the box of images; what is found for a set holds
    for the larger ones. Pixels are ranked by the signed sum over channels, ties at random.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``; the attack succeeds where another one is predicted.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        random_set_distances: distances for random sets and for all pixels, ``(B, sizes + 1)``.
        sizes: set sizes, equally spaced up to the largest.
        largest: share of the pixels in the largest set.
        steps: of the attack, for each size; each costs a forward and a backward pass.

    Returns:
        The distance, comparable within one model only, 0 where the target is not predicted to begin with; where
        nothing is found, that of the farthest corner of the box, as in ``attack_distance``. Unchanged when all
        logits are scaled, and comparable across models: ``vs_random``, its ratio to that for random sets of the same
        sizes, and ``vs_free``, to that for all pixels (both ratios of means, lower is better), and ``found``, the
        share of sizes at which something was found. ``curve``: the distance for each size, ``(B, sizes)``.

    Raises:
        XaiboardError: a setting out of range.
    """
    order = descending_order(pixel_values(attribution), rng)
    curve, found = _distances(model, x, target, order, sizes, largest, steps)
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
    model: nn.Module, x: Tensor, target: Tensor, order: Tensor, sizes: int, largest: float, steps: int
) -> tuple[Tensor, Tensor]:
    """Distance by the first pixels of ``order``, and whether a change was found, ``(B, sizes)`` each."""
    results = []
    for size in range(1, sizes + 1):
        first = order[:, : max(1, round(size / sizes * largest * order.shape[1]))]
        mask = over_channels(x.new_zeros(order.shape).scatter(1, first, 1.0), x)
        results.append(_attack(model, x, target, steps, mask))
    distance, found = torch.stack(results, dim=1).unbind(2)
    return distance.cummin(1).values, found.cummax(1).values


def _attack(model: nn.Module, x: Tensor, target: Tensor, steps: int, mask: Tensor | None = None) -> Tensor:
    """Distance, and whether a change was found, ``(B, 2)``."""
    start = START * x[0].numel() ** 0.5
    return nearest_in_box(model, x, target, losses=[margin], steps=steps, start=start, mask=mask)


def _ratio(distance: Tensor, other: Tensor) -> Weighted:
    """Averages to a ratio of means; a sample without distance has no weight."""
    return Weighted(torch.where(other > 0, distance / other, 1.0), other)
