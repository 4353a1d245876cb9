"""Symmetric relevance gain: what it does to a prediction in which order the pixels go."""

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import descending_order, pixel_values
from ..benchmark.toolkit.rng import SampleRng
from .shared.erasing import Removal, blank
from .shared.removal import KEPT, MARGIN, PROBABILITY, counts, curve_along, random_order_curves, share_won


@metric(
    family="faithfulness",
    higher_is_better=True,
    source="Bluecher et al. 2024, arXiv:2401.06654",
    columns={
        "retention": Column(higher_is_better=True, across_models=True),
        "win_rate": Column(higher_is_better=True, across_models=True),
    },
    shared=[random_order_curves],
)
def srg(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    random_order_curves: Tensor,
    *,
    baseline: Removal = "zero",
    steps: int = 28,
    orders: int = 10,
) -> dict[str, Tensor]:
    """Area between the deletion curves of the least relevant pixels first and of the most relevant first, ``(B,)``.

    It is the insertion's area less the deletion's, for the same baseline. Pixels, ties and areas are those of
    ``deletion``; the least relevant first is the same order, read backwards.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; ``mean`` and ``imputed`` need them.
        random_order_curves: curves of random orders, ``(B, orders, steps + 1, 3)``.
        baseline: what an erased pixel becomes: ``zero``, the training set's ``mean`` image, a ``blur`` of x, or
            ``imputed``: the weighted mean of its eight neighbours, erased ones too, plus noise (ROAD, Rong et al.
            2022, arXiv:2202.00449); where no pixel is left, the training set's mean colour. Pixels that lie
            scattered tell the rest, so that random orders are hard to beat when pixels are put in.
        steps: equal steps from the intact to the erased input.
        orders: random orders of each sample, for ``win_rate``.

    Returns:
        ``(B,)`` each, higher is better: the area in ``[-1, 1]``, 0 on average for a random map, comparable within
        one model only; and, comparable across models, ``retention`` (how much larger the share of points is at
        which the target is predicted) and ``win_rate`` (share of random orders whose margin, the target's logit
        less the largest other one, has a smaller area than the least relevant first has, and a larger one than the
        most relevant first, averaged; ties count half). Neither changes when all logits are scaled.
        ``curve``: the difference of the probabilities, ``(B, steps + 1)``.

    Raises:
        XaiboardError: a setting out of range, or a baseline that is not available.
    """
    order = descending_order(pixel_values(attribution), rng)
    points = counts(order.shape[1], random_order_curves.shape[2] - 1)
    gone = blank(x, reference, baseline, rng)
    most, least = (
        curve_along(model, x, gone, target, each, points, random_order_curves)
        for each in (order, order.flip(1))
    )
    fractions = torch.tensor(points).to(x) / order.shape[1]
    first, last, rivals = (
        torch.trapezoid(curves[..., MARGIN], fractions, dim=-1)
        for curves in (most, least, random_order_curves)
    )
    leads = torch.cat([rivals - first[:, None], last[:, None] - rivals], dim=1)
    gap = least - most
    return {
        "": torch.trapezoid(gap[..., PROBABILITY], fractions, dim=1),
        "retention": gap[..., KEPT].mean(1),
        "win_rate": share_won(leads, random_order_curves),
        "curve": gap[..., PROBABILITY],
    }
