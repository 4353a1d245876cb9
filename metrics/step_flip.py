"""Step flip: whether one step along the gradient reaches another class, as it must on a transport map."""

from math import inf

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.components.kinds import Column, Weighted
from ..benchmark.toolkit.ranges import NotNegative


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(0, 1),
    source="Serrurier et al. 2023, arXiv:2206.06854, prop. 2",
    columns={"length": Column(across_models=True, range=(0, inf))},
    roles=["step to the boundary"],
)
def step_flip(model: nn.Module, x: Tensor, *, margins: NotNegative = 1.5) -> dict[str, Tensor | Weighted]:
    """1 where ``x - margins * g * grad g / |grad g|^2`` has another prediction, else 0, ``(B,)``.

    g is the margin: the largest logit minus the second largest. Where g is affine, a step of 1 margin ends on the
    decision boundary. The image after the step may leave ``[0, 1]``.

    Args:
        model: images to logits ``(B, K)``.
        x: images, ``(B, C, H, W)``.
        margins: length of the step, as a multiple of the length at which an affine g becomes 0.

    Returns:
        The indicator. ``length``: L2 length of the step, in units of ``x``; its mean is over the images with a non-zero
        gradient. Without a gradient there is no step, and the indicator is 0.
    """
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        best, classes = model(leaf).topk(2, dim=1)
        gap = best[:, 0] - best[:, 1]
        (gradient,) = torch.autograd.grad(gap.sum(), leaf)
    slope = gradient.flatten(1).norm(dim=1)
    moved = slope > 0
    length = torch.where(moved, margins * gap.detach() / slope.clamp_min(1e-12), 0.0)
    share = (length / slope.clamp_min(1e-12)).view(-1, *[1] * (x.ndim - 1))
    with torch.no_grad():
        flipped = model(x - share * gradient).argmax(1) != classes[:, 0]
    return {"": (moved & flipped).to(length), "length": Weighted(length, moved.to(length))}
