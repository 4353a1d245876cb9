"""The attack on explanations that its variants share: gradient signs of a loss of the map, the worst iterate kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import SettingError, at_least
from ..pixels import magnitudes
from ..rng import SampleRng
from .twin import smooth_twin
from .worst import Worst

SOURCE = "Ghorbani et al. 2019, arXiv:1710.10547; settings of Chen et al. 2019, arXiv:1905.09957"

Through = Literal["saliency", "input_x_gradient", "integrated_gradients"]
"""The map that is differentiated. It need not be the method that is explained, which is then attacked by transfer."""

POINTS = 10
"""Points on the path from black, where integrated gradients are differentiated."""

NOISE = 1e-9
"""A gradient below this share of the sample's largest has no sign: rounding would choose it."""


@dataclass(frozen=True)
class Climb:
    """How an attack moves.

    Args:
        name: of the perturbation.
        eps: radius in the sup norm, in units of ``x``.
        step: length of a step, in units of ``x``.
        steps: number of steps.
        restarts: number of starts: the first at ``x``, the others anywhere in the ball.
        beta: sharpness of the softplus in the network that is differentiated.
        through: the map that is differentiated.
    """

    name: str
    eps: float
    step: float
    steps: int
    restarts: int
    beta: float
    through: Through

    def __post_init__(self) -> None:
        at_least(0, self.name, eps=self.eps, step=self.step)
        at_least(1, self.name, steps=self.steps, restarts=self.restarts)
        if not self.beta > 0:
            raise SettingError(f"setting 'beta' of '{self.name}' must be greater than 0; got '{self.beta:g}'")


def attack(
    climb: Climb,
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    worst: Worst,
    explain: Callable[[Tensor], Tensor],
    rng: SampleRng,
    loss: Callable[[Tensor], Tensor],
) -> Tensor:
    """The iterate with the worst map, of those that are predicted as ``x`` is; shaped like ``x``.

    Where the loss has no gradient, as on a network that is linear in pieces and has no smooth copy, the signs of the
    step are drawn: the attack is never weaker than a random walk.

    Args:
        climb: how to move.
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        worst: keeps the worst image.
        explain: the attacked method.
        rng: random numbers of each sample.
        loss: of a map of magnitudes ``(B, H, W)`` with mean 1, to climb, ``(B,)``.
    """
    twin = smooth_twin(model, climb.beta)
    low, high = (x - climb.eps).clamp_min(0), (x + climb.eps).clamp_max(1)
    for start in range(climb.restarts):
        here = x if start == 0 else (x + rng.uniform(x, -climb.eps, climb.eps)).clamp(low, high)
        for _ in range(climb.steps):
            direction = _direction(twin, here, target, loss, climb.through)
            blind = (direction == 0).flatten(1).all(1).view(-1, *[1] * (x.dim() - 1))
            direction = torch.where(blind, rng.sign(x), direction)
            here = (here + climb.step * direction).clamp(low, high)
            worst.offer(here, model, explain)
    return worst.x


def _direction(
    twin: nn.Module, x: Tensor, target: Tensor, loss: Callable[[Tensor], Tensor], through: Through
) -> Tensor:
    """Signs of the gradient of the loss, shaped like ``x``."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        total = (
            loss(_map(twin, leaf, target, through)).sum() + 0 * leaf.sum()
        )  # the map of a linear network is constant
        (gradient,) = torch.autograd.grad(total, leaf)
    flat = gradient.flatten(1)
    flat = torch.where(flat.abs() > NOISE * flat.abs().amax(1, keepdim=True), flat, 0.0)
    return flat.nan_to_num(0.0, 0.0, 0.0).sign().view_as(x)


def _map(twin: nn.Module, x: Tensor, target: Tensor, through: Through) -> Tensor:
    """Magnitudes with mean 1, ``(B, H, W)``, as a function of ``x``."""
    points = POINTS if through == "integrated_gradients" else 1
    gradient = torch.zeros_like(x)
    for point in range(1, points + 1):
        at = x * (point / points)
        logit = twin(at).gather(1, target[:, None]).sum()
        gradient = gradient + torch.autograd.grad(logit, at, create_graph=True)[0] / points
    values = magnitudes(gradient if through == "saliency" else gradient * x)
    return values / values.mean((1, 2), keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
