"""Attacks that look for the nearest input with another prediction: inside the box of images, and without a box."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from .pgd import Loss, ascent, log_odds, scale

HALVINGS = 12
"""Bisections of the way back to the image: they leave 1 / 4096 of it open."""

_FLAT = 1e-8
"""What the paper adds to an RMSE that it divides by."""


class Found(NamedTuple):
    """What an attack found.

    Args:
        change: shaped like the images; where nothing was found, where the attack gave up.
        step: number of the first step at which its aim was met, ``(B,)``; more than its steps where it never was.
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
    """The smallest change in the box that decoupled direction and norm met (Rony et al. 2019, arXiv:1811.09600).

    Each step goes along the gradient and then onto a sphere, which shrinks where the prediction is wrong and
    grows where it is right. Nothing is random; a sample whose gradient is zero stays where it is.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images in ``[0, 1]``.
        label: true classes, ``(B,)``.
        steps: each costs a forward and a backward pass; their length falls from 1 to .01 on a cosine.
        gamma: by what share the sphere shrinks or grows.
        start: its first radius, in units of ``x`` (L2).
        loss: what the steps climb.
        mask: 1 where ``x`` may change and 0 elsewhere, in a shape that broadcasts to it; None is everywhere.

    Returns:
        The smallest change that was met and predicted as another class; zero where ``x`` itself is.
    """
    change, radius = torch.zeros_like(x), torch.full_like(x.flatten(1)[:, 0], start)
    search = _Search(x, steps)
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
    """A change on the way from ``x`` to ``x + change`` that is predicted wrong too, and shorter by bisection.

    Where ``x + change`` is predicted as ``label`` it stays as it is.
    """
    low, high = torch.zeros_like(x.flatten(1)[:, 0]), torch.ones_like(x.flatten(1)[:, 0])
    wrong = _logits(model, x + change).argmax(1) != label
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        at_middle = _logits(model, x + _each(middle, x) * change).argmax(1) != label
        low, high = torch.where(at_middle, low, middle), torch.where(at_middle, middle, high)
    return torch.where(_each(wrong, x), _each(high, x) * change, change)


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

    A step climbs the loss until its ``rule`` is met, and else goes straight back to the image. Directions have an
    RMSE (root mean square over the pixels) of 1, and steps get shorter linearly.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        label: true classes, ``(B,)``.
        rule: climb while the change's RMSE is below ``radius`` (``l2``), while the prediction is ``label``
            (``l2min``), or while the label's softmax exceeds ``1 / K`` (``btr``: better than random).
        path: sum of the lengths of the steps (RMSE), in units of ``x``.
        steps: each costs a forward and a backward pass.
        momentum: weight of the earlier directions in the next one.
        radius: RMSE at which ``l2`` turns back, in units of ``x``.
        loss: what is climbed; the paper's is the cross-entropy, whose direction that of ``log_odds`` is.

    Returns:
        For ``l2`` the last change; else the smallest that met the rule, which is zero where ``x`` does.
    """
    change = torch.zeros_like(x)
    direction, search = change, _Search(x, steps)
    for step in range(steps):
        logits, gradient = ascent(model, x + change, label, loss)
        met = _met(rule, logits, label, change, radius)
        search.note(step, met, change)
        towards = torch.where(_each(met, x), -change, gradient)
        towards = towards / _each(rmse(towards) + _FLAT, x)
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
    """The change from images to their adversarial explanations, by :func:`l2_loop`, shaped like ``x``.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: classes that get more likely (``plus``) or less, ``(B,)``.
        direction: which of these.
        radius: RMSE at which steps turn back, in units of ``x``.
        steps: each costs a forward and a backward pass.
        overshoot: sum of the lengths of the steps, in radii.
    """
    sign = -1.0 if direction == "plus" else 1.0

    def climbed(logits: Tensor, label: Tensor) -> Tensor:
        return sign * log_odds(logits, label)

    path = overshoot * radius
    return l2_loop(model, x, target, rule="l2", path=path, steps=steps, radius=radius, loss=climbed).change


def step_length(step: int, steps: int, path: float) -> float:
    """Length of a step of :func:`l2_loop`; they fall linearly, and add up to ``path``."""
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


class _Search:
    """The shortest change of each sample that met the aim so far."""

    def __init__(self, x: Tensor, steps: int) -> None:
        self.best = torch.zeros_like(x)
        self.shortest = torch.full_like(x.flatten(1)[:, 0], math.inf)
        self.step = torch.full_like(self.shortest, steps + 1)

    def note(self, step: int, met: Tensor, change: Tensor) -> None:
        """Looks at the ``change`` before ``step``."""
        length = change.flatten(1).norm(dim=1)
        shorter = met & (length < self.shortest)
        self.best = torch.where(_each(shorter, change), change, self.best)
        self.shortest = torch.where(shorter, length, self.shortest)
        self.step = torch.where(met, self.step.clamp_max(step), self.step)

    def result(self, last: Tensor) -> Found:
        """The shortest changes, and the ``last`` where none met the aim."""
        return Found(torch.where(_each(self.shortest.isfinite(), last), self.best, last), self.step)


@torch.no_grad()
def _logits(model: nn.Module, x: Tensor) -> Tensor:
    return model(x)


def _each(value: Tensor, x: Tensor) -> Tensor:
    """``(B,)`` as ``(B, 1, ...)``, to be combined with ``x``."""
    return value.view(-1, *[1] * (x.ndim - 1))
