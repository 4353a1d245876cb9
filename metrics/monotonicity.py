"""Monotonicity: whether what is more important does more, as pixels are added and as patches are disturbed."""

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.pixels import descending_order, pixel_values, quantise
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import Baseline, baseline_image
from .shared.erasing import replace_in_order
from .shared.patches import boxes, patch_sums
from .shared.rank_correlation import spearman
from .shared.removal import counts
from .shared.subsets import logit_of


@metric(
    family="faithfulness",
    higher_is_better=True,
    source="Arya et al. 2019, arXiv:1909.03012",
    columns={
        "logit": Column(higher_is_better=True, across_models=True),
        "never_falls": Column(higher_is_better=True),
    },
)
def monotonicity_arya(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    baseline: Baseline = "zero",
    steps: int = 28,
) -> dict[str, Tensor]:
    """Share of steps at which the target's probability does not fall while pixels are put in, ``(B,)``.

    Pixels come in ascending order of their attribution (summed over channels, ties at random), in equal steps from
    the baseline to the input. A change below 1e-5 of the largest one is none. Higher is better; 1 where nothing
    ever changes. Negative contributions come first and make the logit fall: a random order, whose steps mix them
    with positive ones, can have more rising steps than the exact map of a linear model.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; ``baseline=mean`` needs them.
        baseline: where the steps start: ``zero``, the training set's ``mean`` image, or a ``blur`` of x.
        steps: from the baseline to the input.

    Returns:
        The share, in ``[0, 1]``, comparable within one model only; ``logit``, the same for the target's logit,
        unchanged when all logits are scaled; ``never_falls``, 1 where the probability falls at no step (the paper's
        yes or no, and Quantus'), else 0.

    Raises:
        XaiboardError: ``steps`` is smaller than 1, or a baseline that is not available.
    """
    at_least(1, "monotonicity_arya", steps=steps)
    order, start = (
        descending_order(pixel_values(attribution), rng).flip(1),
        baseline_image(x, reference, baseline),
    )
    with torch.no_grad():
        points = counts(order.shape[1], steps)
        logits = torch.stack(replace_in_order(model, start, x, order, points), dim=1)
    chosen = target[:, None, None].expand(-1, len(points), 1)
    rises, logit_rises = (
        (quantise(values.gather(2, chosen)[..., 0].diff(dim=1)) >= 0).to(values)
        for values in (logits.softmax(2), logits)
    )
    return {"": rises.mean(1), "logit": logit_rises.mean(1), "never_falls": rises.amin(1)}


def patch_effects(
    model: nn.Module, x: Tensor, target: Tensor, rng: SampleRng, *, patch: int = 4, draws: int = 10
) -> Tensor:
    """Root mean square of what uniform noise in a single patch does to the target's logit, ``(B, patches)``.

    The arguments are those of :func:`monotonicity_nguyen`.
    """
    at_least(1, "monotonicity_nguyen", patch=patch, draws=draws)
    current, effects = x.clone(memory_format=torch.contiguous_format), []
    before = logit_of(model, current, target)
    for box in boxes(x, patch):
        total = torch.zeros_like(before)
        for _ in range(draws):
            current[box] = rng.uniform(x[box])
            total += (logit_of(model, current, target) - before) ** 2
        current[box] = x[box]
        effects.append((total / draws).sqrt())  # a square would hide small effects among the ties
    return torch.cat(effects, dim=1)


@metric(
    family="faithfulness",
    higher_is_better=True,
    across_models=True,
    source="Nguyen & Martinez 2020, arXiv:2007.07584",
    shared=[patch_effects],
)
def monotonicity_nguyen(
    attribution: Tensor, patch_effects: Tensor, *, patch: int = 4, draws: int = 10
) -> Tensor:
    """Spearman between the magnitude of a patch's attribution and how much noise in it moves the logit, ``(B,)``.

    The effect is ``E[(f(x) - f(x'))^2]``, or its root: that, and the paper's weight, one for each image, change no
    rank. In ``[-1, 1]``, higher is better, and unchanged when all logits are scaled; 0 for a map, or an effect, that
    is the same in all patches. A patch's attribution is the signed sum over its pixels and channels, of which the
    magnitude is taken.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        patch_effects: root mean square of the change of logit, ``(B, patches)``.
        patch: side of a patch in pixels; a vector is cut into runs of ``patch * patch`` features.
        draws: of uniform noise in ``[0, 1]``, for each patch.

    Raises:
        XaiboardError: a setting is smaller than 1.
    """
    return spearman(patch_sums(attribution, patch).abs(), patch_effects)
