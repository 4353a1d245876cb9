"""Monotonicity: whether more important pixels change the prediction more, inserted one by one or disturbed."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column
from ..benchmark.toolkit.data import Reference
from ..benchmark.toolkit.per_side import part_of_side
from ..benchmark.toolkit.pixels import descending_order, pixel_values, quantise
from ..benchmark.toolkit.ranges import Count
from ..benchmark.toolkit.rng import SampleRng
from .shared.baselines import BLUR, Baseline, Blur, baseline_image
from .shared.erasing import replace_in_order
from .shared.patches import boxes, patch_sums
from .shared.rank_correlation import spearman
from .shared.removal import counts
from .shared.subsets import logit_of


@metric(
    family="faithfulness",
    higher_is_better=True,
    range=(0, 1),
    source="Arya et al. 2019, arXiv:1909.03012",
    columns={
        "logit": Column(higher_is_better=True, across_models=True, range=(0, 1)),
        "never_falls": Column(higher_is_better=True, range=(0, 1)),
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
    steps: Count = 28,
    blur: Blur = BLUR,
) -> dict[str, Tensor]:
    """Share of steps at which the target's probability does not fall while pixels are inserted, ``(B,)``.

    Pixels are inserted in ascending order of their attribution (summed over channels, ties at random), in equal steps
    from the baseline to the input. Changes below 1e-5 of the largest change count as none. Higher is better; 1 if
    nothing ever changes. A correct map inserts negative contributions first, and these make the logit fall. A random
    order mixes them with positive ones, so it can have more rising steps than the exact map of a linear model.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        attribution: one signed value for each element, shaped like ``x``.
        rng: random numbers of each sample.
        reference: statistics of the training set; the baseline ``mean`` needs them.
        baseline: where the steps start: ``zero`` (black), the training set's ``mean`` image, or a ``blur`` of ``x``.
        steps: number of steps from the baseline to the input; each costs a forward pass.
        blur: standard deviation of the ``blur``, in pixels.

    Returns:
        The share, in ``[0, 1]``; it compares only within one model. ``logit``: the share for the target's logit in
        place of its probability, which does not change when all logits are scaled. ``never_falls``: 1 if the
        probability falls at no step, else 0, which is the yes or no of the paper and of Quantus.

    Raises:
        XaiboardError: the baseline is not available.
    """
    order, start = (
        descending_order(pixel_values(attribution), rng).flip(1),
        baseline_image(x, reference, baseline, blur),
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


@dataclass(frozen=True)
class PatchNoise:
    """Noise that replaces one patch of the input at a time.

    Args:
        patch: side of a patch, in pixels; a vector is cut into runs of ``patch * patch`` features.
        draws: number of draws of uniform noise in ``[0, 1]`` for each patch; each costs a forward pass.
    """

    patch: Count = part_of_side(7)
    draws: Count = 10


def patch_effects(
    model: nn.Module, x: Tensor, target: Tensor, rng: SampleRng, *, noise: PatchNoise = PatchNoise()
) -> Tensor:
    """Root mean square change of the target's logit when noise replaces a single patch, ``(B, patches)``."""
    current, effects = x.clone(memory_format=torch.contiguous_format), []
    before = logit_of(model, current, target)
    for box in boxes(x, noise.patch):
        total = torch.zeros_like(before)
        for _ in range(noise.draws):
            current[box] = rng.uniform(x[box])
            total += (logit_of(model, current, target) - before) ** 2
        current[box] = x[box]
        effects.append((total / noise.draws).sqrt())  # among squares, small effects would be ties
    return torch.cat(effects, dim=1)


@metric(
    family="faithfulness",
    higher_is_better=True,
    across_models=True,
    range=(-1, 1),
    source="Nguyen & Martinez 2020, arXiv:2007.07584",
    shared=[patch_effects],
)
def monotonicity_nguyen(
    attribution: Tensor, patch_effects: Tensor, *, noise: PatchNoise = PatchNoise()
) -> Tensor:
    """Spearman's correlation of each patch's magnitude with how much noise in it changes the logit, ``(B,)``.

    In ``[-1, 1]``; higher is better; unchanged when all logits are scaled. The effect of a patch is
    ``E[(f(x) - f(x'))^2]``; its root, and the weight that the paper gives each image, do not change any rank. The score
    is 0 if the map, or the effect, is the same in all patches. The attribution of a patch is the signed sum over its
    pixels and channels, of which the magnitude is taken.

    Args:
        attribution: one signed value for each element, ``(B, C, H, W)`` or ``(B, F)``.
        patch_effects: root mean square change of the logit, ``(B, patches)``.
        noise: the patches and their noise.
    """
    return spearman(patch_sums(attribution, noise.patch).abs(), patch_effects)
