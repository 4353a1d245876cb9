"""DeepFool: steps onto the nearest boundary of the linearised network."""

import torch
from torch import Tensor, nn

from .minimal_attacks import each_of

SLACK = 1e-4
"""Added to the length of each step, in units of ``x``, so that a step crosses a boundary on which it lies."""


def deepfool(
    model: nn.Module, x: Tensor, label: Tensor, *, steps: int = 50, classes: int = 10, overshoot: float = 0.02
) -> Tensor:
    """The change of each image within ``[0, 1]`` to where the prediction is wrong, shaped like ``x``.

    In each step the network is taken for linear, and the image goes to the nearest of the boundaries towards other
    classes (Moosavi-Dezfooli et al. 2016, arXiv:1511.04599, algorithm 2, L2), cut to ``[0, 1]``. Images that are
    predicted wrong stay where they are. Nothing is random.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images in ``[0, 1]``.
        label: true classes, ``(B,)``.
        steps: number of steps, at most; each costs a forward pass, and a backward pass for each class.
        classes: number of other classes that are considered, those with the largest logits for ``x``.
        overshoot: how much longer than to the boundary a step is, as a share.
    """
    moved, rows, others = x, torch.arange(len(x), device=x.device), None
    for _ in range(steps):
        with torch.enable_grad():
            leaf = moved.detach().requires_grad_()
            logits = model(leaf)
            if others is None:
                rivals = logits.detach().scatter(1, label[:, None], -torch.inf)
                others = rivals.topk(min(classes, logits.shape[1] - 1), dim=1).indices
            gaps = logits.gather(1, others) - logits.gather(1, label[:, None])
            slopes = torch.stack(
                [torch.autograd.grad(gap.sum(), leaf, retain_graph=True)[0] for gap in gaps.T], 1
            )
        right = logits.argmax(1) == label
        if not right.any():
            break
        steepness = slopes.flatten(2).norm(dim=2)
        distance = (-gaps.detach() / steepness).where(steepness > 0, torch.inf)
        nearest = distance.argmin(1)
        reachable = distance[rows, nearest].isfinite()
        length = ((distance[rows, nearest] + SLACK) * (1 + overshoot)).where(reachable & right, 0.0)
        size = (length / steepness[rows, nearest].clamp_min(torch.finfo(x.dtype).tiny)).where(length > 0, 0.0)
        moved = (moved + each_of(size, x) * slopes[rows, nearest]).clamp(0, 1)
    return moved.detach() - x
