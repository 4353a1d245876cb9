"""Projected gradient descent: the strongest first-order attack, in the L-inf and the L2 ball."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


def pgd_linf(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    eps: float = 0.1,
    step: float = 0.02,
    steps: int = 10,
    generator: torch.Generator | None = None,
) -> Tensor:
    """An image near each ``x`` on which the cross-entropy is high, in ``[0, 1]``, shaped like ``x``.

    Random start, then steps along the gradient's sign (Madry et al. 2018, arXiv:1706.06083, section 2.1).

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images in ``[0, 1]``.
        label: true classes, ``(B,)``.
        eps: radius of the ball, in units of ``x``.
        step: length of a step, in units of ``x``.
        steps: number of steps; each costs a forward and a backward pass.
        generator: of the start, on the device of ``x``.
    """
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    start = torch.empty_like(x).uniform_(-eps, eps, generator=generator)
    attacked = torch.clamp(x + start, low, high)
    for _ in range(steps):
        attacked = torch.clamp(attacked + step * _ascent(model, attacked, label).sign(), low, high)
    return attacked


def pgd_l2(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    eps: float = 0.5,
    step: float = 0.1,
    steps: int = 20,
    generator: torch.Generator | None = None,
) -> Tensor:
    """As :func:`pgd_linf`, in the L2 ball, with steps along the gradient; the start is anywhere in the ball."""
    size = x[0].numel()
    direction = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    share = torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype) ** (1 / size)
    change = _scale(direction, eps * share)
    for _ in range(steps):
        gradient = _ascent(model, (x + change).clamp(0, 1), label)
        change = (x + change).clamp(0, 1) - x + _scale(gradient, step)
        change = _scale(change, change.flatten(1).norm(dim=1).clamp_max(eps))
    # Clipping to [0, 1] moves every pixel towards x, so it does not leave the ball.
    return (x + change).clamp(0, 1)


def _ascent(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    """Gradient of the cross-entropy with respect to the images; leaves the parameters' gradients alone."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(cross_entropy(model(x), label, reduction="sum"), x)[0]


def _scale(change: Tensor, length: Tensor | float) -> Tensor:
    """``change`` with an L2 norm of ``length`` for each sample; zero stays zero."""
    # A confident network's gradient is so small that its square is 0: the largest entry becomes 1 first.
    flat = change.flatten(1)
    flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(change.dtype).tiny)
    norm = flat.norm(dim=1).clamp_min(1e-12)
    return (flat * (length / norm)[:, None]).view_as(change)
