"""Relative stability: how much more the map changes near an input than the input, or the output, does."""

from math import inf

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import Around, Explain, neighbours
from .shared.relative_change import Floor, largest_ratio, relative_change


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    range=(0, inf),
    source="Agarwal et al. 2022, arXiv:2203.06877, RIS",
    columns={"kept": Column(across_models=True, range=(0, 1))},
)
def relative_input_stability(
    model: nn.Module,
    x: Tensor,
    attribution: Tensor,
    logits: Tensor,
    explain: Explain,
    rng: SampleRng,
    *,
    around: Around = Around(),
    floor: Floor = 0.01,
) -> dict[str, Tensor | Weighted]:
    """Largest ratio of the relative change of the map to that of the input, among random inputs around ``x``, ``(B,)``.

    ``|(e(x') - e(x)) / e(x)| / |(x' - x) / x|``; lower is better. Quotients are taken for each element, channels
    separately; norms are L2. As a divisor, an element counts as at least ``floor`` of the largest magnitude in both
    maps (or both inputs); this bounds the weight of black pixels, and of pixels that do not matter. A map that never
    changes scores 0.

    Random inputs are uniform in ``|x' - x|_inf <= radius`` and not clamped. They count only if their prediction is that
    of ``x``; a sample with no such input has weight 0. ``explain`` draws the same random numbers at every call, so a
    stochastic method is not charged for its own noise.

    Args:
        model: classifier, inputs to logits ``(B, K)``; only its predictions matter, so a scale of the logits does not.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``, signed.
        logits: ``model(x)``.
        explain: the attribution of any input, by the same method for the same target.
        rng: random numbers of each sample.
        around: the random inputs around ``x``; each costs an explanation and a forward pass.
        floor: smallest divisor, as a share of the largest magnitude. As it goes to 0, the score becomes the paper's.

    Returns:
        The ratio; its weight is 1 if any random input counts, else 0. ``kept``: share of the random inputs that count.
    """

    def distance(near: Tensor, outputs: Tensor) -> Tensor:
        return relative_change(x, near, floor)[None]

    nearby = neighbours(explain, x, rng, around)
    (ratio,), kept = largest_ratio(model, logits, attribution, nearby, distance, floor)
    return {"": Weighted(ratio, (kept > 0).to(x)), "kept": kept}


@metric(
    family="stability",
    higher_is_better=False,
    range=(0, inf),
    source="Agarwal et al. 2022, arXiv:2203.06877, ROS",
    columns={
        "relative": Column(higher_is_better=False, across_models=True, range=(0, inf)),
        "kept": Column(across_models=True, range=(0, 1)),
    },
)
def relative_output_stability(
    model: nn.Module,
    x: Tensor,
    attribution: Tensor,
    logits: Tensor,
    explain: Explain,
    rng: SampleRng,
    *,
    around: Around = Around(),
    floor: Floor = 0.01,
) -> dict[str, Tensor | Weighted]:
    """Largest ratio of the relative change of the map to the change of the logits, near ``x``, ``(B,)``.

    ``|(e(x') - e(x)) / e(x)| / |h(x') - h(x)|`` with the logits ``h``; lower is better. Everything else is as in
    :func:`relative_input_stability`. A change of the logits below ``1e-6`` counts as ``1e-6``.

    Args:
        model: classifier, inputs to logits ``(B, K)``.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``, signed.
        logits: ``model(x)``.
        explain: the attribution of any input, by the same method for the same target.
        rng: random numbers of each sample.
        around: the random inputs around ``x``; each costs an explanation and a forward pass.
        floor: smallest divisor of the map's change, as a share of the largest magnitude.

    Returns:
        The ratio, per unit of logit: dividing the logits by T multiplies it by T, so it compares only methods of one
        model. ``relative``: the ratio to the relative change of the logits, their change divided by their own norm,
        both less the mean over classes; it does not depend on T. The weight of both is 1 if any random input counts,
        else 0. ``kept``: share of the random inputs that count.
    """
    centred = logits - logits.mean(1, keepdim=True)
    scale = vector_norm(centred, dim=1).clamp_min(torch.finfo(logits.dtype).tiny)

    def distance(near: Tensor, outputs: Tensor) -> Tensor:
        share = vector_norm(outputs - outputs.mean(1, keepdim=True) - centred, dim=1) / scale
        return torch.stack([vector_norm(outputs - logits, dim=1), share])

    nearby = neighbours(explain, x, rng, around)
    (ratio, relative), kept = largest_ratio(model, logits, attribution, nearby, distance, floor)
    weight = (kept > 0).to(x)
    return {"": Weighted(ratio, weight), "relative": Weighted(relative, weight), "kept": kept}
