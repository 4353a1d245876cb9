"""Slopes that a network is shown to have, by gradient ascent over pairs of images."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

MOMENTUM = 0.9


def slope(model: nn.Module, x: Tensor, other: Tensor) -> Tensor:
    """``|f(x) - f(other)| / |x - other|`` (L2) of each pair, ``(B,)``, in float64; 0 where the images are equal.

    Every value is a lower bound of the Lipschitz constant.
    """
    exact = copy.deepcopy(model).double()
    with torch.no_grad():
        rise, distance = _rise(exact, x.double(), other.double())
    return torch.where(distance > 0, rise / distance, 0.0)


def ascend(
    model: nn.Module, x: Tensor, other: Tensor, *, steps: int = 150, step: float = 2.0
) -> tuple[Tensor, Tensor]:
    """Steeper pairs of images in ``[0, 1]``, each found from one of the pairs given; shaped like them.

    Both ends follow the gradient of the logarithm of their slope. The steps are measured in the distance of a
    pair, so that near pairs stay near and find the steepest point, and far ones look across many linear pieces.

    Args:
        model: in eval mode, ``(B, C, H, W)`` to ``(B, K)``.
        x: one end of each pair, ``(B, C, H, W)``.
        other: the other end.
        steps: number of steps; each costs a forward and a backward pass of both ends.
        step: length of the first step, in distances of the pair; it shrinks to 0.
    """
    ends = torch.stack([x, other], 1)
    velocity = torch.zeros_like(ends)
    for done in range(steps):
        direction = _unit(_gradient(model, ends))
        velocity = MOMENTUM * velocity + (1 - MOMENTUM) * direction
        distance = vector_norm((ends[:, 0] - ends[:, 1]).flatten(1), dim=1)
        length = step * (1 - done / steps) * distance
        ends = (ends + length.view(-1, *[1] * x.ndim) * velocity).clamp(0, 1)
    return ends[:, 0], ends[:, 1]


def _gradient(model: nn.Module, ends: Tensor) -> Tensor:
    """Gradient of ``log |f(x) - f(x')| - log |x - x'|`` with respect to both ends, ``(B, 2, C, H, W)``."""
    with torch.enable_grad():
        ends = ends.detach().requires_grad_()
        rise, distance = _rise(model, ends[:, 0], ends[:, 1])
        tiny = torch.finfo(ends.dtype).tiny
        height = rise.clamp_min(tiny).log() - distance.clamp_min(tiny).log()
        return torch.autograd.grad(height.sum(), ends)[0]


def _rise(model: nn.Module, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """``|f(x) - f(x')|`` and ``|x - x'|``, ``(B,)`` each."""
    first, second = model(torch.cat([x, other])).chunk(2)
    return vector_norm(first - second, dim=1), vector_norm((x - other).flatten(1), dim=1)


def _unit(gradient: Tensor) -> Tensor:
    norm = vector_norm(gradient.flatten(1), dim=1).clamp_min(torch.finfo(gradient.dtype).tiny)
    return gradient / norm.view(-1, *[1] * (gradient.ndim - 1))
