"""The attack that all attacks on maps share: climb a loss of the map along gradient signs, keep the worst image met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Annotated, Any, Literal

import torch
from annotated_types import Interval
from torch import Tensor, nn

from ...errors import SettingError
from ...toolkit.pgd import log_odds
from ...toolkit.pixels import magnitudes
from ...toolkit.ranges import Count, NotNegative, Radius
from ...toolkit.rng import SampleRng
from .smooth_copy import sharpen, smooth_copy
from .worst import Worst

SOURCE = (
    "Ghorbani et al. 2019, arXiv:1710.10547: what is climbed and kept; lengths of steps, sharpness and the way back are"
    " this suite's"
)

Through = Literal["auto", "own", "saliency", "input_x_gradient", "integrated_gradients", "smoothgrad"]

DIFFERENTIABLE = ("saliency", "input_x_gradient", "integrated_gradients", "smoothgrad")

NEAREST: Mapping[str, str] = {
    "deeplift": "integrated_gradients",
    "deeplift_shap": "integrated_gradients",
    "gradient_shap": "integrated_gradients",
    "lrp_epsilon": "input_x_gradient",
    "smoothgrad_squared": "smoothgrad",
    "vargrad": "smoothgrad",
}
"""For methods that are not differentiated: the differentiable method whose maps are most like theirs.

An attack on its maps changes theirs more than an attack on the gradient does.
"""

POINTS = 5
"""Points on the path from the black image at which integrated gradients are differentiated."""

DRAWS, SIGMA = 5, 0.15
"""Where SmoothGrad is differentiated: the number of noisy copies, and the standard deviation of their noise."""

HALVED = 3
"""Step ``n``, counted from 0, is ``1 + n / HALVED`` times shorter than the first one.

It goes through a copy of the network that is so many times sharper: after three steps, half as long and twice as sharp.
Long steps through a very smooth copy cross the ball. Short steps through a copy that is almost the network itself stay
where the map is bad and the prediction holds. The length of a step does not depend on how many steps follow it.
"""

NOISE = 1e-9
"""Gradients below this share of the sample's largest one count as 0, since rounding would choose their sign."""


@dataclass(frozen=True)
class Climb:
    """How an attack on a map moves: the settings that all of these attacks share.

    Args:
        eps: radius of the ball around ``x`` in the sup norm, in units of ``x``.
        step: length of the first step, in radii; later steps are shorter.
        steps: number of steps from each start. Each costs an explanation, a forward pass, and the gradient of a map;
            for samples whose prediction has changed also a forward and a backward pass.
        restarts: number of starts; the first is at ``x``, the others are drawn from the ball.
        beta: sharpness of the softplus that replaces ReLU in the first step, in units of the spread of each layer's
            values (the papers take 1 in units of the values themselves, where the attack is weaker). Later steps use
            sharper copies. ``inf`` attacks through the network itself, without a smooth copy.
        through: the map whose gradient is followed. ``auto`` follows the explained method's own map, if the method is
            the simple gradient, input times gradient, integrated gradients (from black, with few points) or SmoothGrad
            (with few draws of deviation .15); the map of its nearest relative, if it has one (integrated gradients for
            DeepLIFT and GradientSHAP); and the simple gradient otherwise, which is then a transfer attack. ``own`` is
            inapplicable to methods that are not differentiated. A name follows the map of that method.
        other: name of the model whose smooth copy is differentiated in place of the judged model's. This makes a
            transfer attack, for networks whose own gradients may hide their weakness. Empty for the judged model.
    """

    eps: Radius = 0.1
    step: NotNegative = 1.0
    steps: Count = 50
    restarts: Count = 1
    beta: Annotated[float, Interval(gt=0, le=inf)] = 5.0
    through: Through = "auto"
    other: str = ""


@dataclass(frozen=True)
class Victim:
    """The explanations that are attacked.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        explain: the attribution of any input by the attacked method.
        method: name of the attacked method.
        network: the network whose smooth copy is differentiated: the model, or the one that ``Climb.other`` names.
    """

    model: nn.Module
    x: Tensor
    target: Tensor
    explain: Callable[[Tensor], Tensor]
    method: str
    network: nn.Module


def nearest(method: str) -> str:
    """Name of the method whose map is differentiated when ``method`` is attacked."""
    return method if method in DIFFERENTIABLE else NEAREST.get(method, "saliency")


def applies(method: str, settings: Mapping[str, Any]) -> str | None:
    """Why a method cannot be attacked by its own gradient, or None."""
    if settings["through"] == "own" and method not in DIFFERENTIABLE:
        return (
            f"'{method}' cannot be differentiated; through=auto attacks it by transfer from {nearest(method)}"
        )
    return None


def attack(
    name: str,
    climb: Climb,
    victim: Victim,
    worst: Worst,
    loss: Callable[[Tensor], Tensor],
    rng: SampleRng,
) -> Tensor:
    """The image with the worst map among the visited ones that are predicted as ``x`` is; shaped like ``x``.

    Each step follows the signs of the gradient of ``loss``. From an image that is predicted otherwise, the next step
    leads back instead: it follows the log odds of the model itself. (The papers walk on, and then waste most steps.)
    Where there is no gradient, the signs of the step are drawn at random; so it is on a piecewise linear network
    without a smooth copy, and on one that rounds.

    Args:
        name: of the perturbation.
        climb: how to move.
        victim: what is attacked.
        worst: keeps the worst image.
        loss: what is climbed, ``(B,)``; a function of a map of magnitudes ``(B, H, W)`` with mean 1.
        rng: random numbers of each sample.

    Raises:
        SettingError: the method's own gradient is asked for, and it has none.
    """
    model, x, target, explain = victim.model, victim.x, victim.target, victim.explain
    through = _differentiated(name, climb.through, victim.method)
    noise = [rng.normal(x, SIGMA) for _ in range(DRAWS)] if through == "smoothgrad" else []
    smooth = smooth_copy(victim.network, climb.beta)
    low, high = (x - climb.eps).clamp_min(0), (x + climb.eps).clamp_max(1)
    drawn = [(x + rng.uniform(x, -climb.eps, climb.eps)).clamp(low, high) for _ in range(1, climb.restarts)]
    for start in [x, *drawn]:
        held = torch.ones_like(target, dtype=torch.bool) if start is x else worst.offer(start, model, explain)
        here = start
        for count in range(climb.steps):
            finer = 1 + count / HALVED
            sharpen(smooth, climb.beta * finer)
            direction = _signs(lambda z: loss(_map(smooth, z, target, through, noise)), here)
            if not held.all():
                label = worst.predicted[~held]
                direction[~held] = _signs(lambda z, label=label: -log_odds(model(z), label), here[~held])
            blind = (direction == 0).flatten(1).all(1).view(-1, *[1] * (x.dim() - 1))
            direction = torch.where(blind, rng.sign(x), direction)
            here = (here + climb.step * climb.eps / finer * direction).clamp(low, high)
            held = worst.offer(here, model, explain)
    return worst.x


def _differentiated(name: str, through: Through, method: str) -> str:
    """Name of the method whose map is differentiated."""
    if reason := applies(method, {"through": through}):
        raise SettingError(f"'{name}[through={through}]': {reason}")
    return nearest(method) if through in ("auto", "own") else through


def _signs(objective: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Signs of the gradient of an objective ``(B,)``, shaped like ``x``; 0 where there is none."""
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        # the map of a linear network is constant, and has no graph: the second summand gives it one
        total = objective(leaf).sum() + 0 * leaf.sum()
        (gradient,) = torch.autograd.grad(total, leaf)
    flat = gradient.flatten(1)
    flat = torch.where(flat.abs() > NOISE * flat.abs().amax(1, keepdim=True), flat, 0.0)
    return flat.nan_to_num(0.0, 0.0, 0.0).sign().view_as(x)


def _map(smooth: nn.Module, x: Tensor, target: Tensor, through: str, noise: Sequence[Tensor]) -> Tensor:
    """Magnitudes of the map of ``through``, scaled to mean 1, ``(B, H, W)``; differentiable in ``x``."""
    points = [x * (point / POINTS) for point in range(1, POINTS + 1)]
    where = {"integrated_gradients": points, "smoothgrad": [x + each for each in noise]}.get(through, [x])
    gradient = torch.zeros_like(x)
    for at in where:
        logit = smooth(at).gather(1, target[:, None]).sum()
        gradient = gradient + torch.autograd.grad(logit, at, create_graph=True)[0] / len(where)
    values = magnitudes(gradient * x if through in ("input_x_gradient", "integrated_gradients") else gradient)
    return values / values.mean((1, 2), keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
