"""Projected gradient descent: the strongest first-order attack, in the L-inf and the L2 ball."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

Loss = Callable[[Tensor, Tensor], Tensor]
"""A function of logits ``(B, K)`` and labels ``(B,)`` that an attack climbs, ``(B,)`` or its sum."""


def log_odds(logits: Tensor, label: Tensor) -> Tensor:
    """Log odds against the label, ``(B,)``.

    The gradient is that of the cross-entropy, divided by ``1 - p_label``. It has the same direction, and does not
    vanish where the softmax of the other classes underflows.
    """
    return _others(logits, label).logsumexp(1) - logits.gather(1, label[:, None])[:, 0]


def margin(logits: Tensor, label: Tensor) -> Tensor:
    """Largest other logit minus the label's, ``(B,)``; a scale of logits does not change its gradient's direction."""
    return _others(logits, label).amax(1) - logits.gather(1, label[:, None])[:, 0]


def _others(logits: Tensor, label: Tensor) -> Tensor:
    return logits.scatter(1, label[:, None], -math.inf)


def _total_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    return cross_entropy(logits, label, reduction="sum")


def pgd_linf(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    eps: float = 0.1,
    step: float = 0.02,
    steps: int = 10,
    generator: torch.Generator | None = None,
    start: Tensor | None = None,
    loss: Loss = _total_cross_entropy,
) -> Tensor:
    """An image in the sup-norm ball around ``x`` on which the loss is high, in ``[0, 1]``, shaped like ``x``.

    From a random start, steps follow the signs of the gradient (Madry et al. 2018, arXiv:1706.06083, section 2.1).

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images in ``[0, 1]``.
        label: true classes, ``(B,)``.
        eps: radius of the ball, in units of ``x``.
        step: length of a step, in units of ``x``.
        steps: number of steps; each costs a forward and a backward pass.
        generator: random numbers of the start, on the device of ``x``.
        start: change of ``x`` to start from, in place of a random one.
        loss: what the attack climbs; by default the cross-entropy.
    """
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    if start is None:
        start = torch.empty_like(x).uniform_(-eps, eps, generator=generator)
    attacked = torch.clamp(x + start, low, high)
    for _ in range(steps):
        attacked = torch.clamp(attacked + step * ascent(model, attacked, label, loss)[1].sign(), low, high)
    return attacked


def pgd_l2(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    eps: float | Tensor = 0.5,
    step: float | Tensor = 0.1,
    steps: int = 20,
    generator: torch.Generator | None = None,
    start: Tensor | None = None,
    loss: Loss = _total_cross_entropy,
) -> Tensor:
    """As :func:`pgd_linf`, in the L2 ball: steps follow the gradient, and the start is uniform in the ball.

    Radius and length of the steps may be those of each image, ``(B,)``.
    """
    if start is None:
        direction = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        share = torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype)
        start = in_l2_ball(direction, share, eps)
    change = start
    for _ in range(steps):
        gradient = ascent(model, (x + change).clamp(0, 1), label, loss)[1]
        change = (x + change).clamp(0, 1) - x + scale(gradient, step)
        change = scale(change, change.flatten(1).norm(dim=1).clamp_max(eps))
    # clipping to [0, 1] moves every pixel towards x, so the image stays in the ball
    return (x + change).clamp(0, 1)


def in_l2_ball(direction: Tensor, share: Tensor, eps: float | Tensor) -> Tensor:
    """Changes that are uniform in the L2 ball, shaped like the images.

    Args:
        direction: Gaussian numbers, shaped like the images.
        share: numbers uniform in ``[0, 1]``, ``(B,)``.
        eps: radius of the ball.
    """
    return scale(direction, eps * share ** (1 / direction[0].numel()))


def ascent(model: nn.Module, x: Tensor, label: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
    """Logits, and the gradient of ``loss`` with respect to the images; gradients of parameters are left alone."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        logits = model(x)
        return logits.detach(), torch.autograd.grad(loss(logits, label).sum(), x)[0]


def scale(change: Tensor, length: Tensor | float) -> Tensor:
    """``change`` with an L2 norm of ``length`` for each sample; zero stays zero."""
    # the largest entry is scaled to 1 first: the gradient of a confident network is so small that its square is 0
    flat = change.flatten(1)
    flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(change.dtype).tiny)
    norm = flat.norm(dim=1).clamp_min(1e-12)
    return (flat * (length / norm)[:, None]).view_as(change)
