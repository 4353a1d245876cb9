"""Slopes of a network between pairs of images, and steep pairs found by gradient ascent."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from ..toolkit.networks import copy_network

MOMENTUM = 0.9
"""Weight of the earlier directions in the direction of a step."""


def slope(model: nn.Module, x: Tensor, other: Tensor) -> Tensor:
    """``|f(x) - f(other)| / |x - other|`` (L2) of each pair, ``(B,)``, computed in float64; 0 for two equal images.

    Each slope is a lower bound of the Lipschitz constant.
    """
    exact = copy_network(model).double()
    with torch.no_grad():
        rise, distance = _rise(exact, x.double(), other.double())
    return torch.where(distance > 0, rise / distance, 0.0)


def ascend(
    model: nn.Module, x: Tensor, other: Tensor, *, steps: int = 150, step: float = 2.0
) -> tuple[Tensor, Tensor]:
    """Steeper pairs of images in ``[0, 1]``, found by gradient ascent from the given pairs; shaped like them.

    Both images of a pair follow the gradient of the logarithm of the slope between them. The length of a step is
    proportional to the distance of the pair. So pairs that are close stay close, and climb to the steepest point; pairs
    that are far apart compare points across many linear regions of a network.

    Args:
        model: in eval mode, ``(B, C, H, W)`` to ``(B, K)``.
        x: the first image of each pair, ``(B, C, H, W)``.
        other: the second image of each pair, ``(B, C, H, W)``.
        steps: number of steps; each costs a forward and a backward pass of both images.
        step: length of the first step as a multiple of the pair's distance; later steps shrink linearly to 0.
    """
    ends = torch.stack([x, other], 1)
    velocity = torch.zeros_like(ends)
    for done in range(steps):
        direction = _unit(_gradient(model, ends))
        velocity = MOMENTUM * velocity + (1 - MOMENTUM) * direction
        distance = vector_norm((ends[:, 0] - ends[:, 1]).flatten(1), dim=1)
        length = step * (1 - done / steps) * distance  # (B,), in units of x
        ends = (ends + length.view(-1, *[1] * x.ndim) * velocity).clamp(0, 1)
    return ends[:, 0], ends[:, 1]


def _gradient(model: nn.Module, ends: Tensor) -> Tensor:
    """Gradient of ``log |f(x) - f(x')| - log |x - x'|`` with respect to both images, ``(B, 2, C, H, W)``."""
    with torch.enable_grad():
        ends = ends.detach().requires_grad_()
        rise, distance = _rise(model, ends[:, 0], ends[:, 1])
        tiny = torch.finfo(ends.dtype).tiny
        log_slope = rise.clamp_min(tiny).log() - distance.clamp_min(tiny).log()
        return torch.autograd.grad(log_slope.sum(), ends)[0]


def _rise(model: nn.Module, x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """``|f(x) - f(x')|`` and ``|x - x'|``, ``(B,)`` each."""
    first, second = model(torch.cat([x, other])).chunk(2)
    return vector_norm(first - second, dim=1), vector_norm((x - other).flatten(1), dim=1)


def _unit(gradient: Tensor) -> Tensor:
    """Scales the gradient of each pair to norm 1."""
    norm = vector_norm(gradient.flatten(1), dim=1).clamp_min(torch.finfo(gradient.dtype).tiny)
    return gradient / norm.view(-1, *[1] * (gradient.ndim - 1))
