"""Signed gradient ascent in the L-inf ball, on any differentiable value."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def climb_linf(
    value: Callable[[Tensor], Tensor], x: Tensor, start: Tensor, *, eps: float, step: float, steps: int
) -> Tensor:
    """An image in the ball around each ``x`` at which ``value`` is large, in ``[0, 1]``, shaped like ``x``; detached.

    Args:
        value: what is maximised: images to a scalar, a sum over the images.
        x: centres of the balls, in ``[0, 1]``.
        start: where to begin.
        eps: radius, in units of ``x``.
        step: length of a step, in units of ``x``.
        steps: number of steps.
    """
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    found = start.detach().clamp(low, high)
    for _ in range(steps):
        leaf = found.requires_grad_()
        (gradient,) = torch.autograd.grad(value(leaf), leaf)
        found = (found.detach() + step * gradient.sign()).clamp(low, high)
    return found
