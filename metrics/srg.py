"""Symmetric relevance gain: how much the order in which pixels are erased matters to the prediction."""

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.rng import SampleRng
from .shared.cells import cells_of, descending_cells
from .shared.erasing import blank
from .shared.removal import (
    KEPT,
    MARGIN,
    PROBABILITY,
    RemovalCurve,
    curve_along,
    points_of,
    random_order_curves,
    share_won,
)


@metric(
    family="faithfulness",
    higher_is_better=True,
    range=(-1, 1),
    source="Bluecher et al. 2024, arXiv:2401.06654",
    columns={
        "retention": Column(higher_is_better=True, across_models=True, range=(-1, 1)),
        "win_rate": Column(
            higher_is_better=True, across_models=True, range=(0, 1), reads=("random_order_curves",)
        ),
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
    random_order_curves: Tensor | None,
    *,
    removal: RemovalCurve = RemovalCurve(),
) -> dict[str, Tensor]:
    """Area between the deletion curves of the least and of the most relevant pixels first, ``(B,)``.

    It equals the area of insertion minus the area of deletion, for the same baseline. Pixels, ties and areas are as in
    :func:`~xaiboard.metrics.deletion.deletion`. The least relevant first is the same order, reversed.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; the baselines ``mean`` and ``imputed`` need them.
        random_order_curves: curves of random orders, ``(B, orders, steps + 1, 3)``; None leaves ``win_rate`` out.
        removal: what an erased pixel becomes, in how many steps, and how many random orders compete. With ``imputed``,
            scattered pixels reveal the pixels between them, so random orders are hard to beat.

    Returns:
        ``(B,)`` each, higher is better. The area, in ``[-1, 1]``; a random map scores 0 on average; it compares only
        within one model. The other columns do not change when all logits are scaled, so they compare across models.
        ``retention``: share of the points at which the target is predicted, least relevant first, minus the same share,
        most relevant first. ``win_rate``: share of random orders whose area under the margin (the target's logit minus
        the largest other one) is smaller than that of the least relevant first, averaged with the share whose area is
        larger than that of the most relevant first; ties count half. ``curve``: the difference of the probabilities,
        ``(B, steps + 1)``.

    Raises:
        XaiboardError: the baseline is not available.
    """
    cells = cells_of(x, removal.cell)
    order = descending_cells(attribution, cells, rng)
    points = points_of(cells, removal.steps)
    gone = blank(x, reference, removal.baseline, rng, removal.blur)
    most, least = (
        curve_along(model, x, gone, target, each, points, random_order_curves)
        for each in (order, order.flip(1))
    )
    fractions = torch.tensor(points).to(x) / order.shape[1]
    gap, won = least - most, {}
    if random_order_curves is not None:
        first, last, rivals = (
            torch.trapezoid(curves[..., MARGIN], fractions, dim=-1)
            for curves in (most, least, random_order_curves)
        )
        leads = torch.cat([rivals - first[:, None], last[:, None] - rivals], dim=1)
        won = {"win_rate": share_won(leads, random_order_curves)}
    return {
        "": torch.trapezoid(gap[..., PROBABILITY], fractions, dim=1),
        "retention": gap[..., KEPT].mean(1),
        **won,
        "curve": gap[..., PROBABILITY],
    }
