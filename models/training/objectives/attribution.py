"""Robust attribution regularisation: penalises integrated gradients of the loss from an image to an attacked one."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .climb import climb_linf
from .objective import Objective


def loss_ig(model: nn.Module, x: Tensor, moved: Tensor, label: Tensor, *, points: int) -> Tensor:
    """Integrated gradients of the cross-entropy from ``x`` to ``moved``, shaped like ``x``; differentiable.

    The mean gradient at ``x + (k / points) (moved - x)`` for ``k = 1..points``, times ``moved - x`` (Chen et al. 2019,
    arXiv:1905.09957, eq. 2). The more points, the closer the sum over an image is to the rise of its cross-entropy.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: where the path starts, ``(B, C, H, W)``.
        moved: where it ends, ``(B, C, H, W)``.
        label: true classes, ``(B,)``.
        points: points of the integral.
    """
    change = moved - x
    share = torch.arange(1, points + 1, device=x.device, dtype=x.dtype) / points
    path = x + share.view(-1, *[1] * x.dim()) * change
    if not path.requires_grad:
        path.requires_grad_()
    loss = cross_entropy(model(path.flatten(0, 1)), label.repeat(points), reduction="sum")
    (gradient,) = torch.autograd.grad(loss, path, create_graph=True)
    return change * gradient.mean(0)


def ig_norm(
    *,
    eps: float = 0.1,
    step: float = 0.05,
    steps: int = 3,
    points: int = 3,
    attack_points: int = 1,
    weight: float = 1.0,
) -> Objective:
    """Cross-entropy, plus ``weight`` times the L1 norm of :func:`loss_ig` from the image to an attacked one.

    The attack looks for the image in the ball for which that norm is largest. IG-NORM of Chen et al. 2019,
    arXiv:1905.09957, with means over the batch, and with far fewer points and steps than theirs (50 points, 10 in
    the attack, 20 steps).

    Args:
        eps: radius of the L-inf ball of the attack, in units of ``x``.
        step: length of a step of the attack, in units of ``x``.
        steps: number of steps of the attack.
        points: points of the integral in the penalty.
        attack_points: points of the integral in the attack.
        weight: weight of the norm.
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        norm = partial(_norm, model, x, label)
        start = x + torch.empty_like(x).uniform_(-eps, eps, generator=generator)
        moved = climb_linf(partial(norm, points=attack_points), x, start, eps=eps, step=step, steps=steps)
        logits = model(x)
        return cross_entropy(logits, label) + weight * norm(moved, points=points) / len(x), logits

    return objective


def ig_sum_norm(
    *,
    eps: float = 0.1,
    step: float = 0.05,
    steps: int = 3,
    points: int = 3,
    attack_points: int = 1,
    weight: float = 0.1,
) -> Objective:
    """Cross-entropy at an attacked image, plus ``weight`` times the L1 norm of :func:`loss_ig` from the image to it.

    IG-SUM-NORM of Chen et al. 2019, arXiv:1905.09957. The attack maximises this whole sum. Settings as in
    :func:`ig_norm`.
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        def total(moved: Tensor) -> Tensor:
            loss = cross_entropy(model(moved), label, reduction="sum")
            return loss + weight * _norm(model, x, label, moved, points=attack_points)

        start = x + torch.empty_like(x).uniform_(-eps, eps, generator=generator)
        moved = climb_linf(total, x, start, eps=eps, step=step, steps=steps)
        logits = model(moved)
        norm = _norm(model, x, label, moved, points=points)
        return cross_entropy(logits, label) + weight * norm / len(x), logits

    return objective


def _norm(model: nn.Module, x: Tensor, label: Tensor, moved: Tensor, *, points: int) -> Tensor:
    """L1 norm of :func:`loss_ig`, summed over the batch, a scalar."""
    return loss_ig(model, x, moved, label, points=points).abs().sum()
