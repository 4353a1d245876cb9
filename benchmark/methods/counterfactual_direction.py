"""Counterfactual direction: f(x) grad f(x), the straight line to the class boundary, which transport maps follow."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.pgd import ascent, margin
from ..toolkit.ranges import NotNegative


@method(source="Serrurier et al. 2023, arXiv:2206.06854, prop. 1-2, for a margin of logits")
def counterfactual_direction(
    model: nn.Module, x: Tensor, target: Tensor, *, margins: NotNegative = 1.0
) -> Tensor:
    """``margins * g grad g / |grad g|^2``, shaped like ``x``, in units of ``x``; g is the margin of the target.

    The margin g is the target's logit minus the largest other one. ``x`` minus the attribution is the counterfactual
    image, which may leave ``[0, 1]``. Where g is affine, a length of 1 margin ends on the decision boundary, and a
    larger one beyond it. For two classes with a potential f, whose gradient has norm 1, this is the paper's ``f grad
    f``. If the target is not predicted, g is negative, and the image moves towards the target. The attribution is zero
    where the gradient is. It costs one forward and one backward pass.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``, K at least 2.
        x: inputs.
        target: explained classes, ``(B,)``.
        margins: length of the step, as a multiple of the length at which an affine g becomes 0.
    """
    # the attacks' margin is -g; its gradient has the opposite sign too, so the product is the same
    logits, gradient = ascent(model, x, target, margin)
    flat = gradient.flatten(1)
    # the largest entry is scaled to 1 first, since the square of a small gradient would underflow to 0
    largest = flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(x.dtype).tiny)
    unit = flat / largest
    way = unit * margin(logits, target)[:, None] / largest / unit.square().sum(1, keepdim=True).clamp_min(1)
    return margins * way.view_as(x)
