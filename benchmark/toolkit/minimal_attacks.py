"""Attacks that look for the nearest image with another prediction, within ``[0, 1]`` or without bounds."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from .pgd import Loss, ascent, log_odds, scale

HALVINGS = 12
"""Number of bisections of the way back to the image, which locate the boundary up to 1 / 4096 of it."""

_FLAT = 1e-8
"""Added to an RMSE before dividing by it, as in the paper."""


class Found(NamedTuple):
    """The result of an attack.

    Args:
        change: change of the images, shaped like them; where the attack failed, its last change.
        step: number of the first step at which the attack succeeded, ``(B,)``; larger than the number of steps where it
            never did.
    """

    change: Tensor
    step: Tensor


def ddn(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    steps: int = 100,
    gamma: float = 0.05,
    start: float = 1.0,
    loss: Loss = log_odds,
    mask: Tensor | None = None,
) -> Found:
    """The smallest adversarial change within ``[0, 1]`` that DDN finds (Rony et al. 2019, arXiv:1811.09600).

    DDN, "decoupled direction and norm", goes along the gradient in each step, and then onto a sphere around ``x``. The
    sphere shrinks where the prediction is wrong, and grows where it is right. Nothing is random. A sample whose
    gradient is zero does not move.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images in ``[0, 1]``.
        label: true classes, ``(B,)``.
        steps: number of steps; each costs a forward and a backward pass. Their length falls from 1 to .01, as a cosine.
        gamma: relative change of the radius of the sphere in each step.
        start: first radius of the sphere, in units of ``x`` (L2).
        loss: what the steps climb.
        mask: 1 where ``x`` may change and 0 elsewhere, in a shape that broadcasts to ``x``; None allows every change.

    Returns:
        The smallest change with which another class is predicted; zero where this is so without a change.
    """
    change, radius = torch.zeros_like(x), torch.full_like(x.flatten(1)[:, 0], start)
    search = Search(x, steps)
    for step in range(steps):
        logits, gradient = ascent(model, x + change, label, loss)
        gradient = gradient if mask is None else gradient * mask
        wrong = logits.argmax(1) != label
        search.note(step, wrong, change)
        radius = radius * torch.where(wrong, 1 - gamma, 1 + gamma)
        length = 0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2
        change = scale(change + scale(gradient, length), radius)
        change = (x + change).clamp(0, 1) - x
    search.note(steps, _logits(model, x + change).argmax(1) != label, change)
    return search.result(change)


def shorten(model: nn.Module, x: Tensor, label: Tensor, change: Tensor) -> Tensor:
    """The change shortened by bisection between ``x`` and ``x + change``, such that the prediction is still wrong.

    A change with which ``label`` is predicted stays as it is.
    """
    low, high = torch.zeros_like(x.flatten(1)[:, 0]), torch.ones_like(x.flatten(1)[:, 0])
    wrong = _logits(model, x + change).argmax(1) != label
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        at_middle = _logits(model, x + each_of(middle, x) * change).argmax(1) != label
        low, high = torch.where(at_middle, low, middle), torch.where(at_middle, middle, high)
    return torch.where(each_of(wrong, x), each_of(high, x) * change, change)


def l2_loop(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    rule: Literal["l2", "l2min", "btr"],
    path: float,
    steps: int,
    momentum: float = 0.0,
    radius: float = math.inf,
    loss: Loss = log_odds,
) -> Found:
    """The attack of Woods et al. 2019 (arXiv:1906.02896), which leaves the box of images.

    Until a condition is met, which ``rule`` names, steps climb the loss; while it is met, they go straight back towards
    the image. Directions have an RMSE (root mean square over the values) of 1. The lengths of the steps fall linearly.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        label: true classes, ``(B,)``.
        rule: steps climb while the RMSE of the change is below ``radius`` (``l2``), while the prediction is ``label``
            (``l2min``), or while the label's softmax is above ``1 / K`` (``btr``, better than random).
        path: sum of the lengths of all steps (RMSE), in units of ``x``.
        steps: number of steps; each costs a forward and a backward pass.
        momentum: weight of the earlier directions in the next one.
        radius: RMSE at which ``l2`` turns back, in units of ``x``.
        loss: what is climbed. The paper climbs the cross-entropy, whose gradient has the direction of ``log_odds``.

    Returns:
        The last change for ``l2``. Otherwise the smallest change that meets the condition; zero where ``x`` does.
    """
    change = torch.zeros_like(x)
    direction, search = change, Search(x, steps)
    for step in range(steps):
        logits, gradient = ascent(model, x + change, label, loss)
        met = _met(rule, logits, label, change, radius)
        search.note(step, met, change)
        towards = torch.where(each_of(met, x), -change, gradient)
        towards = towards / each_of(rmse(towards) + _FLAT, x)
        direction = momentum * direction + (1 - momentum) * towards
        change = change + step_length(step, steps, path) * direction
    search.note(steps, _met(rule, _logits(model, x + change), label, change, radius), change)
    return Found(change, search.step) if rule == "l2" else search.result(change)


def explaining_change(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    direction: Literal["plus", "minus"],
    radius: float,
    steps: int,
    overshoot: float,
) -> Tensor:
    """The change from images to their adversarial explanations, found by :func:`l2_loop`, shaped like ``x``.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
        direction: whether the target gets more likely (``plus``) or less (``minus``).
        radius: RMSE at which the steps turn back, in units of ``x``.
        steps: number of steps; each costs a forward and a backward pass.
        overshoot: sum of the lengths of all steps, in units of ``radius``.
    """
    sign = -1.0 if direction == "plus" else 1.0

    def climbed(logits: Tensor, label: Tensor) -> Tensor:
        return sign * log_odds(logits, label)

    path = overshoot * radius
    return l2_loop(model, x, target, rule="l2", path=path, steps=steps, radius=radius, loss=climbed).change


def step_length(step: int, steps: int, path: float) -> float:
    """Length of a step of :func:`l2_loop`; the lengths fall linearly and add up to ``path``."""
    return path * 2 * (steps - step) / (steps * (steps + 1))


def rmse(change: Tensor) -> Tensor:
    """Root mean square over the values of each sample, ``(B,)``."""
    return change.flatten(1).square().mean(1).sqrt()


def _met(
    rule: Literal["l2", "l2min", "btr"], logits: Tensor, label: Tensor, change: Tensor, radius: float
) -> Tensor:
    if rule == "l2":
        return rmse(change) >= radius
    if rule == "l2min":
        return logits.argmax(1) != label
    return logits.softmax(1).gather(1, label[:, None])[:, 0] <= 1 / logits.shape[1]


class Search:
    """Keeps the shortest change of each sample with which the attack has succeeded."""

    def __init__(self, x: Tensor, steps: int) -> None:
        self.best = torch.zeros_like(x)
        self.shortest = torch.full_like(x.flatten(1)[:, 0], math.inf)
        self.step = torch.full_like(self.shortest, steps + 1)

    def note(self, step: int, met: Tensor, change: Tensor) -> None:
        """Keeps the ``change`` before ``step`` where it has ``met`` the aim and is the shortest so far."""
        length = change.flatten(1).norm(dim=1)
        shorter = met & (length < self.shortest)
        self.best = torch.where(each_of(shorter, change), change, self.best)
        self.shortest = torch.where(shorter, length, self.shortest)
        self.step = torch.where(met, self.step.clamp_max(step), self.step)

    def result(self, last: Tensor) -> Found:
        """The shortest changes; the ``last`` one where the attack never succeeded."""
        return Found(torch.where(each_of(self.shortest.isfinite(), last), self.best, last), self.step)


@torch.no_grad()
def _logits(model: nn.Module, x: Tensor) -> Tensor:
    return model(x)


def each_of(value: Tensor, x: Tensor) -> Tensor:
    """``(B,)`` as ``(B, 1, ...)``, which broadcasts to ``x``."""
    return value.view(-1, *[1] * (x.ndim - 1))
