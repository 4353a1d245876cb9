"""Insertion: how fast the explained class is found when the most important pixels come first."""

from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.rng import SampleRng
from .shared.erasing import Removal
from .shared.patches import patch_gains, patch_sums
from .shared.rank_correlation import spearman
from .shared.removal import random_order_curves, removal_scores


@metric(
    family="faithfulness",
    higher_is_better=True,
    source="Petsiuk et al. 2018, arXiv:1806.07421",
    columns={
        "retention": Column(higher_is_better=True, across_models=True),
        "win_rate": Column(higher_is_better=True, across_models=True),
        "patch_correlation": Column(higher_is_better=True, across_models=True),
        "normalised": Column(higher_is_better=True, across_models=True),
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
    random_order_curves: Tensor,
    patch_gains: Tensor,
    *,
    baseline: Removal = "zero",
    steps: int = 28,
    orders: int = 10,
    patch: int = 4,
) -> dict[str, Tensor | Weighted]:
    """Area under the target's probability while pixels are put into the baseline, most important ones first.

    The mirror image of deletion: inserting along an order is deleting along the reversed order, read backwards.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; ``mean`` and ``imputed`` need them.
        random_order_curves: deletion curves of random orders, ``(B, orders, steps + 1, 3)``.
        patch_gains: gain of logit by inserting single patches, ``(B, patches)``.
        baseline: where the curve starts: ``zero``, the training set's ``mean`` image, a ``blur`` of x, or
            ``imputed``: the weighted mean of its eight neighbours, erased ones too, plus noise (ROAD, Rong et al.
            2022, arXiv:2202.00449); where no pixel is left, the training set's mean colour. Pixels that lie
            scattered tell the rest, so that random orders are hard to beat when pixels are put in.
        steps: equal steps from the erased to the intact input.
        orders: random orders of each sample, for ``win_rate``.
        patch: side of a patch in pixels, for ``patch_correlation``.

    Returns:
        ``(B,)`` each, higher is better: the area in ``[0, 1]``, comparable within one model only; and, comparable
        across models since none changes when all logits are scaled, ``retention`` (share of the points of the curve
        at which the target is predicted), ``win_rate`` (share of random orders with a smaller area under the margin,
        the target's logit less the largest other one; ties count half), ``patch_correlation`` (Spearman, in
        ``[-1, 1]``, between the attribution of a patch and the gain of logit when it alone is inserted) and
        ``normalised`` (area under the margin on a scale from the erased to the intact input, a weighted mean).
        ``curve``: the probabilities, ``(B, steps + 1)``.

    Raises:
        XaiboardError: a setting out of range, or a baseline that is not available.
    """
    scores = removal_scores(
        model, x, target, attribution, rng, reference, random_order_curves, baseline=baseline, insert=True
    )
    return scores | {"patch_correlation": spearman(patch_sums(attribution, patch), patch_gains)}
