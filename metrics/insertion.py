"""Insertion: how fast the prediction is found when the most important pixels are inserted first."""

from math import inf

from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.per_side import part_of_side
from ..benchmark.toolkit.ranges import Count
from ..benchmark.toolkit.rng import SampleRng
from .shared.patches import patch_gains, patch_sums
from .shared.rank_correlation import spearman
from .shared.removal import RemovalCurve, random_order_curves, removal_scores


@metric(
    family="faithfulness",
    higher_is_better=True,
    range=(0, 1),
    source="Petsiuk et al. 2018, arXiv:1806.07421",
    columns={
        "retention": Column(higher_is_better=True, across_models=True, range=(0, 1)),
        "win_rate": Column(
            higher_is_better=True, across_models=True, range=(0, 1), reads=("random_order_curves",)
        ),
        "patch_correlation": Column(
            higher_is_better=True, across_models=True, range=(-1, 1), reads=("patch_gains",)
        ),
        "normalised": Column(higher_is_better=True, across_models=True, range=(-inf, inf)),
    },
    shared=[random_order_curves, patch_gains],
    version=2,
)
def insertion(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    random_order_curves: Tensor | None,
    patch_gains: Tensor | None,
    *,
    removal: RemovalCurve = RemovalCurve(),
    patch: Count = part_of_side(7),
) -> dict[str, Tensor | Weighted]:
    """Area under the target's probability while pixels are put into the baseline, most important ones first.

    Insertion along an order is deletion along the reversed order, read backwards; everything else is as in
    :func:`~xaiboard.metrics.deletion.deletion`.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; the baselines ``mean`` and ``imputed`` need them.
        random_order_curves: deletion curves of random orders, ``(B, orders, steps + 1, 3)``; None leaves
            ``win_rate`` out.
        patch_gains: gain of logit when a single patch is inserted, ``(B, patches)``; None leaves
            ``patch_correlation`` out.
        removal: the baseline where the curve starts, in how many steps it reaches the input, and how many random orders
            compete. With ``imputed``, scattered pixels reveal the pixels between them, so random orders are hard to
            beat.
        patch: side of a patch in pixels, for ``patch_correlation``.

    Returns:
        ``(B,)`` each, higher is better. The area, in ``[0, 1]``; it compares only within one model. The other columns
        do not change when all logits are scaled, so they compare across models. ``retention``: share of the points of
        the curve at which the target is predicted. ``win_rate``: share of random orders with a smaller area under the
        margin (the target's logit minus the largest other one); ties count half. ``patch_correlation``: Spearman's
        correlation, in ``[-1, 1]``, between the attribution of a patch and the gain of logit when only this patch is
        inserted. ``normalised``: area under the margin, on a scale from 0 for the erased to 1 for the intact input,
        averaged with the length of this scale as weight. ``curve``: the probabilities, ``(B, steps + 1)``.

    Raises:
        XaiboardError: the baseline is not available.
    """
    scores = removal_scores(
        model,
        x,
        target,
        attribution,
        rng,
        reference,
        random_order_curves,
        removal=removal,
        insert=True,
    )
    if patch_gains is None:
        return scores
    return scores | {"patch_correlation": spearman(patch_sums(attribution, patch), patch_gains)}
