"""Relevance mass and rank accuracy: how much of a map lies on the object."""

from typing import Literal

import torch
from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.pixels import magnitudes, pixel_values
from .shared.masks import Ranking, Relevance, beside_chance, inside, mask_columns, ranked


@metric(
    family="localisation",
    higher_is_better=True,
    across_models=True,
    range=(0, 1),
    source="Arras et al. 2022, arXiv:2003.07258, relevance mass accuracy",
    columns=mask_columns(),
)
def relevance_mass(
    attribution: Tensor, mask: Tensor | None, *, relevance: Literal["positive", "absolute"] = "positive"
) -> dict[str, Tensor]:
    """Share of the relevance that lies in the mask, ``(B,)``, in ``[0, 1]``; higher is better.

    A share needs values that are not negative: the positive part of the sum over channels, or the sum of the channels'
    magnitudes (the paper's poolings ``sum,pos`` and ``l1-norm``). A map without relevance counts as a constant one, and
    scores the share of the mask. Quantus divides signed sums, so its scores may leave ``[0, 1]``.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the object is, bool ``(B, 1, H, W)``. The score is 0 for an empty mask and 1 for a full one.
        relevance: the ``positive`` part of the sum, or the sum of ``absolute`` values.

    Returns:
        The share. ``chance``: the share for a constant map. ``above_chance``: the share on a scale from 0 at chance to
        1 at best.

    Raises:
        XaiboardError: there is no mask, or one of another shape.
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
    range=(0, 1),
    source="Arras et al. 2022, arXiv:2003.07258, relevance rank accuracy",
    columns=mask_columns(-1),
)
def relevance_rank(
    attribution: Tensor, mask: Tensor | None, *, relevance: Relevance = "signed"
) -> dict[str, Tensor]:
    """Share of the top pixels, as many as the mask has, that lie in the mask, ``(B,)``, in ``[0, 1]``.

    Higher is better. If pixels tie, up to floating-point noise, the score is the expected share: a constant or an
    all-zero map scores the share of the mask.

    Args:
        attribution: ``(B, C, H, W)``.
        mask: where the object is, bool ``(B, 1, H, W)``. The score is 0 for an empty mask and 1 for a full one.
        relevance: what ranks the pixels: the ``signed`` sum over channels, or the sum of their ``absolute`` values.

    Returns:
        The share. ``chance``: the share for a constant map. ``above_chance``: the share on a scale from 0 at chance to
        1 at best.

    Raises:
        XaiboardError: there is no mask, or one of another shape.
    """
    accepted = inside(mask, attribution, "relevance_rank")
    return beside_chance(Ranking(ranked(attribution, relevance)).share(accepted, accepted.sum(1)), accepted)
