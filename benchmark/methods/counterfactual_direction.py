"""Counterfactual direction: f(x) grad f(x), the straight way to the class boundary that transport maps take."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least
from ..toolkit.pgd import ascent, margin


@method(source="Serrurier et al. 2023, arXiv:2206.06854, prop. 1-2, for a margin of logits")
def counterfactual_direction(model: nn.Module, x: Tensor, target: Tensor, *, margins: float = 1.0) -> Tensor:
    """``margins * g grad g / |grad g|^2``, g the target's lead over the best other logit, in units of ``x``.

    ``x`` less the attribution is the counterfactual image. Where g is affine, a length of 1 margin ends on the
    boundary, and a greater one beyond it; the image may leave ``[0, 1]``. For two classes with potential f, whose
    gradient has norm 1, this is the paper's ``f grad f``. Where the target is not the prediction g is negative,
    and the image moves towards the target. Zero where the gradient is. Costs one forward and one backward pass.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``, K at least 2.
        x: inputs.
        target: explained classes, ``(B,)``.
        margins: length of the way, in what an affine g would need to become 0.

    Raises:
        XaiboardError: ``margins`` is negative.
    """
    at_least(0, "counterfactual_direction", margins=margins)
    # the attack's margin is -g, and so is its gradient's sign: the product is the same
    logits, gradient = ascent(model, x, target, margin)
    flat = gradient.flatten(1)
    # the largest entry becomes 1 first: the square of a small gradient would be 0
    largest = flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
    unit = flat / largest
    way = unit * margin(logits, target)[:, None] / largest / unit.square().sum(1, keepdim=True).clamp_min(1)
    return margins * way.view_as(x)
