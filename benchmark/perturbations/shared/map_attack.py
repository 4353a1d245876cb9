"""The attack on explanations that its variants share: gradient signs of a loss of the map, the worst iterate kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ...errors import SettingError
from ...toolkit.checks import at_least, radius
from ...toolkit.pgd import log_odds
from ...toolkit.pixels import magnitudes
from ...toolkit.rng import SampleRng
from .smooth_copy import sharpen, smooth_twin
from .worst import Worst

SOURCE = (
    "Ghorbani et al. 2019, arXiv:1710.10547: what is climbed and kept; lengths of steps, sharpness and the way back are"
    " this suite's"
)

Through = Literal["auto", "own", "saliency", "input_x_gradient", "integrated_gradients", "smoothgrad"]
"""The map that is differentiated: ``auto`` is the explained method's own where it is one of these, else its nearest
relative's, and else the simple gradient, from which the attack is then carried over; ``own`` refuses to carry over."""

DIFFERENTIABLE = ("saliency", "input_x_gradient", "integrated_gradients", "smoothgrad")

NEAREST: Mapping[str, str] = {
    "deeplift": "integrated_gradients",
    "deeplift_shap": "integrated_gradients",
    "gradient_shap": "integrated_gradients",
    "lrp_epsilon": "input_x_gradient",
    "smoothgrad_squared": "smoothgrad",
    "vargrad": "smoothgrad",
}
"""Methods whose maps are close to one that is differentiated: an attack on that does more to them than one on the
gradient."""

POINTS = 5
"""Points on the path from black, where integrated gradients are differentiated."""

DRAWS, SIGMA = 5, 0.15
"""Noisy copies, and the deviation of the noise, where SmoothGrad is differentiated."""

HALVED = 3
"""Step ``n``, from 0, is ``1 / (1 + n / HALVED)`` times as long as the first one, through a copy that is sharper by the
inverse: half as long and twice as sharp after three steps, a third and three times after six.

Long steps through a very smooth copy cross the ball, short ones through one like the network itself stay where the map
is bad and the prediction holds. No step depends on how many follow it.
"""

NOISE = 1e-9
"""A gradient below this share of the sample's largest has no sign: rounding would choose it."""


def nearest(method: str) -> str:
    """The map that is differentiated for a method."""
    return method if method in DIFFERENTIABLE else NEAREST.get(method, "saliency")


def applies(method: str, settings: Mapping[str, Any]) -> str | None:
    """Why a method cannot be attacked by its own gradient, or None."""
    if settings["through"] == "own" and method not in DIFFERENTIABLE:
        return (
            f"'{method}' cannot be differentiated; through=auto attacks it by transfer from {nearest(method)}"
        )
    return None


@dataclass(frozen=True)
class Climb:
    """How an attack moves.

    Args:
        name: of the perturbation.
        eps: radius in the sup norm, in units of ``x``.
        step: length of the first step, in radii.
        steps: number of steps.
        restarts: number of starts: the first at ``x``, the others anywhere in the ball.
        beta: sharpness of the softplus in the network that is differentiated, for the first step.
        through: the map that is differentiated.
        method: name of the explained method.
        network: whose smooth copy is differentiated: the judged model, or one that stands in for it.

    Raises:
        SettingError: a setting out of range, or the method's own gradient where it has none.
    """

    name: str
    eps: float
    step: float
    steps: int
    restarts: int
    beta: float
    through: Through
    method: str
    network: nn.Module

    def __post_init__(self) -> None:
        radius(self.name, self.eps)
        at_least(0, self.name, step=self.step)
        at_least(1, self.name, steps=self.steps, restarts=self.restarts)
        if not self.beta > 0:
            raise SettingError(f"setting 'beta' of '{self.name}' must be greater than 0; got '{self.beta:g}'")
        if reason := applies(self.method, {"through": self.through}):
            raise SettingError(f"'{self.name}[through={self.through}]': {reason}")

    @property
    def differentiated(self) -> str:
        """The map whose gradient is followed."""
        if self.through not in ("auto", "own"):
            return self.through
        return nearest(self.method)


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

    From an iterate that is predicted otherwise the next step leads back, by the log odds of the model itself: the
    papers walk on, and most steps are lost once the prediction is. Where there is no gradient, as on a network that is
    linear in pieces and has no smooth copy, or on one that rounds, the signs of the step are drawn.

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
    through = climb.differentiated
    noise = [rng.normal(x, SIGMA) for _ in range(DRAWS)] if through == "smoothgrad" else []
    twin = smooth_twin(climb.network, climb.beta)
    low, high = (x - climb.eps).clamp_min(0), (x + climb.eps).clamp_max(1)
    drawn = [(x + rng.uniform(x, -climb.eps, climb.eps)).clamp(low, high) for _ in range(1, climb.restarts)]
    for start in [x, *drawn]:
        held = torch.ones_like(target, dtype=torch.bool) if start is x else worst.offer(start, model, explain)
        here = start
        for count in range(climb.steps):
            finer = 1 + count / HALVED
            sharpen(twin, climb.beta * finer)
            direction = _signs(lambda z: loss(_map(twin, z, target, through, noise)), here)
            if not held.all():
                label = worst.predicted[~held]
                direction[~held] = _signs(lambda z, label=label: -log_odds(model(z), label), here[~held])
            blind = (direction == 0).flatten(1).all(1).view(-1, *[1] * (x.dim() - 1))
            direction = torch.where(blind, rng.sign(x), direction)
            here = (here + climb.step * climb.eps / finer * direction).clamp(low, high)
            held = worst.offer(here, model, explain)
    return worst.x


def _signs(objective: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Signs of the gradient of an objective ``(B,)``, shaped like ``x``; 0 where there is none."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        total = objective(leaf).sum() + 0 * leaf.sum()  # the map of a linear network is constant
        (gradient,) = torch.autograd.grad(total, leaf)
    flat = gradient.flatten(1)
    flat = torch.where(flat.abs() > NOISE * flat.abs().amax(1, keepdim=True), flat, 0.0)
    return flat.nan_to_num(0.0, 0.0, 0.0).sign().view_as(x)


def _map(twin: nn.Module, x: Tensor, target: Tensor, through: str, noise: Sequence[Tensor]) -> Tensor:
    """Magnitudes with mean 1, ``(B, H, W)``, as a function of ``x``."""
    points = [x * (point / POINTS) for point in range(1, POINTS + 1)]
    where = {"integrated_gradients": points, "smoothgrad": [x + each for each in noise]}.get(through, [x])
    gradient = torch.zeros_like(x)
    for at in where:
        logit = twin(at).gather(1, target[:, None]).sum()
        gradient = gradient + torch.autograd.grad(logit, at, create_graph=True)[0] / len(where)
    values = magnitudes(gradient * x if through in ("input_x_gradient", "integrated_gradients") else gradient)
    return values / values.mean((1, 2), keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
