"""Deletion: how fast the explained class is lost when the most important pixels go first."""

from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.rng import SampleRng
from .shared.erasing import Removal
from .shared.patches import patch_drops, patch_sums
from .shared.rank_correlation import spearman
from .shared.removal import random_order_curves, removal_scores


@metric(
    family="faithfulness",
    higher_is_better=False,
    source="Petsiuk et al. 2018, arXiv:1806.07421; Samek et al. 2017, arXiv:1509.06321",
    columns={
        "retention": Column(higher_is_better=False, across_models=True),
        "win_rate": Column(higher_is_better=True, across_models=True),
        "patch_correlation": Column(higher_is_better=True, across_models=True),
        "normalised": Column(higher_is_better=False, across_models=True),
    },
    shared=[random_order_curves, patch_drops],
    version=2,
)
def deletion(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    random_order_curves: Tensor,
    patch_drops: Tensor,
    *,
    baseline: Removal = "zero",
    steps: int = 28,
    orders: int = 10,
    patch: int = 4,
) -> dict[str, Tensor | Weighted]:
    """Area under the target's probability while pixels are erased in descending order of attribution.

    Whole pixels go: the attribution is summed over channels, and all channels of a pixel are erased together.
    Values equal up to floating-point noise are ties, broken at random for each sample. The area is that of the
    trapezoids over the true fractions of erased pixels, end points included.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; ``mean`` and ``imputed`` need them.
        random_order_curves: curves of random orders, ``(B, orders, steps + 1, 3)``.
        patch_drops: loss of logit by erasing single patches, ``(B, patches)``.
        baseline: what an erased pixel becomes: ``zero``, the training set's ``mean`` image, a ``blur`` of x, or
            ``imputed``: the weighted mean of its eight neighbours, erased ones too, plus noise (ROAD, Rong et al.
            2022, arXiv:2202.00449); where no pixel is left, the training set's mean colour.
        steps: equal steps from the intact to the erased input.
        orders: random orders of each sample, for ``win_rate``.
        patch: side of a patch in pixels, for ``patch_correlation``.

    Returns:
        ``(B,)`` each: the area in ``[0, 1]``, lower is better, comparable within one model only; and, comparable
        across models since none changes when all logits are scaled, ``retention`` (share of the points of the curve
        at which the target is predicted, lower is better), ``win_rate`` (share of random orders with a larger area
        under the margin, the target's logit less the largest other one; ties count half), ``patch_correlation``
        (Spearman, in ``[-1, 1]``, between the attribution of a patch and the loss of logit when it alone is erased)
        and ``normalised`` (area under the margin on a scale from the erased to the intact input, a weighted mean).
        ``curve``: the probabilities, ``(B, steps + 1)``.

    Raises:
        XaiboardError: a setting out of range, or a baseline that is not available.
    """
    scores = removal_scores(
        model, x, target, attribution, rng, reference, random_order_curves, baseline=baseline
    )
    return scores | {"patch_correlation": spearman(patch_sums(attribution, patch), patch_drops)}
