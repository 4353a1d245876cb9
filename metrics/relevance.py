"""Relevance mass and rank accuracy: how much of a map is spent on the object."""

from typing import Literal

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.pixels import magnitudes, pixel_values
from .shared.masks import COLUMNS, Ranking, Relevance, beside_chance, inside, ranked


@metric(
    family="localisation",
    higher_is_better=True,
    across_models=True,
    source="Arras et al. 2022, arXiv:2003.07258, relevance mass accuracy",
    columns=COLUMNS,
)
def relevance_mass(
    attribution: Tensor, mask: Tensor | None, *, relevance: Literal["positive", "absolute"] = "positive"
) -> dict[str, Tensor]:
    """Share of the relevance that lies in the mask, ``(B,)``, in ``[0, 1]``; higher is better.

    A share needs values that are not negative: the positive part of the channels' sum, or the sum of their
    magnitudes (the paper's poolings ``sum,pos`` and ``l1-norm``). A map without any scores as a constant one, the
    share of the mask. Quantus divides signed sums, which leaves ``[0, 1]``.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the object is, bool ``(B, 1, H, W)``; the score is 0 for an empty and 1 for a full one.
        relevance: ``positive`` or ``absolute``.

    Returns:
        The share; ``chance``, that of a constant map; ``above_chance``, 0 at chance and 1 at best.

    Raises:
        XaiboardError: no mask, or one of another shape.
    """
    accepted = inside(mask, attribution, "relevance_mass")
    positive = relevance == "positive"
    mass = pixel_values(attribution).clamp_min(0) if positive else magnitudes(attribution).flatten(1)
    largest = mass.amax(1, keepdim=True)
    mass = torch.where(largest > 0, mass / largest.clamp_min(torch.finfo(mass.dtype).tiny), 1.0)
    return beside_chance((mass * accepted).sum(1) / mass.sum(1), accepted)


@metric(
    family="localisation",
    higher_is_better=True,
    across_models=True,
    source="Arras et al. 2022, arXiv:2003.07258, relevance rank accuracy",
    columns=COLUMNS,
)
def relevance_rank(
    attribution: Tensor, mask: Tensor | None, *, relevance: Relevance = "signed"
) -> dict[str, Tensor]:
    """Share of the largest pixels, as many as the mask has, that lie in it, ``(B,)``, in ``[0, 1]``.

    Higher is better. The expected share where pixels tie, up to floating-point noise, so a constant or an all-zero
    map scores the share of the mask.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the object is, bool ``(B, 1, H, W)``; the score is 0 for an empty and 1 for a full one.
        relevance: pixels are ranked by the channels' ``signed`` sum, or by the sum of their ``absolute`` values.

    Returns:
        The share; ``chance``, that of a constant map; ``above_chance``, 0 at chance and 1 at best.

    Raises:
        XaiboardError: no mask, or one of another shape.
    """
    accepted = inside(mask, attribution, "relevance_rank")
    return beside_chance(Ranking(ranked(attribution, relevance)).share(accepted, accepted.sum(1)), accepted)
