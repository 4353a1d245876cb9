"""Relative stability: how much more the map changes nearby than the input, or the output, does."""

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import Explain, neighbours
from .shared.relative_change import check_floor, largest_ratio, relative_change


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    source="Agarwal et al. 2022, arXiv:2203.06877, RIS",
    columns={"kept": Column(across_models=True)},
)
def relative_input_stability(
    model: nn.Module,
    x: Tensor,
    attribution: Tensor,
    logits: Tensor,
    explain: Explain,
    rng: SampleRng,
    *,
    radius: float = 0.02,
    draws: int = 10,
    floor: float = 0.01,
) -> dict[str, Tensor | Weighted]:
    """Largest ratio of the map's relative change to the input's among random neighbours, ``(B,)``; lower is better.

    ``|(e(x') - e(x)) / e(x)| / |(x' - x) / x|``: quotients are taken element by element, channels apart, norms are L2.
    An element divides as at least ``floor`` of the largest magnitude in either map (either input), which bounds what
    a black pixel, or one that does not matter, weighs. A map that never changes scores 0.

    Neighbours are uniform in ``|x' - x|_inf <= radius``, not clamped, and count only where the prediction is that at
    ``x``; a sample without such a neighbour has weight 0. ``explain`` draws the same random numbers at every call,
    so a stochastic method is not charged for its own noise.

    Args:
        model: classifier, inputs to logits ``(B, K)``; gives predictions alone, so that their scale changes nothing.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``, signed.
        logits: ``model(x)``.
        explain: the attribution of any input, by the same method for the same target.
        rng: random numbers of each sample.
        radius: of the sup-norm ball, in units of ``x``.
        draws: neighbours of each sample; each takes an explanation and a forward pass.
        floor: least divisor, as a share of the largest magnitude; towards 0 the score is the paper's.

    Returns:
        The ratio, weighted by whether any neighbour counts; ``kept``, the share of the neighbours that count.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, ``radius`` negative, or ``floor`` not above 0 and at most 1.
    """
    name = "relative_input_stability"
    check_floor(name, floor)

    def distance(near: Tensor, outputs: Tensor) -> Tensor:
        return relative_change(x, near, floor)[None]

    around = neighbours(name, explain, x, rng, radius=radius, draws=draws)
    (ratio,), kept = largest_ratio(model, logits, attribution, around, distance, floor)
    return {"": Weighted(ratio, (kept > 0).to(x)), "kept": kept}


@metric(
    family="stability",
    higher_is_better=False,
    source="Agarwal et al. 2022, arXiv:2203.06877, ROS",
    columns={
        "relative": Column(higher_is_better=False, across_models=True),
        "kept": Column(across_models=True),
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
    radius: float = 0.02,
    draws: int = 10,
    floor: float = 0.01,
) -> dict[str, Tensor | Weighted]:
    """Largest ratio of the map's relative change to the change of the logits among random neighbours, ``(B,)``.

    ``|(e(x') - e(x)) / e(x)| / |h(x') - h(x)|`` with the logits ``h``; lower is better. Everything else is as in
    :func:`relative_input_stability`. Logits that do not change count as changed by ``1e-6``.

    Args:
        model: classifier, inputs to logits ``(B, K)``.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``, signed.
        logits: ``model(x)``.
        explain: the attribution of any input, by the same method for the same target.
        rng: random numbers of each sample.
        radius: of the sup-norm ball, in units of ``x``.
        draws: neighbours of each sample; each takes an explanation and a forward pass.
        floor: least divisor of the map's change, as a share of the largest magnitude.

    Returns:
        The ratio, per unit of logit: logits divided by T multiply it by T, so it compares methods of one model only.
        ``relative``, with the change as a share of the logits' own norm, less their mean over classes: the same
        whatever T. Both are weighted by whether any neighbour counts. ``kept``, the share of those that count.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, ``radius`` negative, or ``floor`` not above 0 and at most 1.
    """
    name = "relative_output_stability"
    check_floor(name, floor)
    centred = logits - logits.mean(1, keepdim=True)
    scale = vector_norm(centred, dim=1).clamp_min(torch.finfo(logits.dtype).tiny)

    def distance(near: Tensor, outputs: Tensor) -> Tensor:
        share = vector_norm(outputs - outputs.mean(1, keepdim=True) - centred, dim=1) / scale
        return torch.stack([vector_norm(outputs - logits, dim=1), share])

    around = neighbours(name, explain, x, rng, radius=radius, draws=draws)
    (ratio, relative), kept = largest_ratio(model, logits, attribution, around, distance, floor)
    weight = (kept > 0).to(x)
    return {"": Weighted(ratio, weight), "relative": Weighted(relative, weight), "kept": kept}
