"""The attack of Carlini & Wagner: the length of a change and the margin in one sum, whose weight is searched for."""

import math

import torch
from torch import Tensor, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR

from .minimal_attacks import Found, Search, each_of
from .pgd import ascent, margin

FIRST = 10.0
"""Factor by which the weight of the margin is changed until it is known to be too large and too small."""


def carlini_wagner(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    near: Tensor,
    *,
    steps: int = 100,
    rounds: int = 6,
    rate: float = 0.01,
) -> Found:
    """The smallest adversarial change within ``[0, 1]`` that is found (Carlini & Wagner 2017, arXiv:1608.04644, L2).

    Adam descends the squared length of the change plus the weighted margin by which the label leads. The weight of each
    image begins where both pull alike at a distance of ``near``, whatever the scale of the logits; it falls after a
    round that succeeded, and rises after one that did not. Changes are cut to ``[0, 1]``; the paper's ``tanh`` would
    hold black pixels fast. Nothing is random.

    Args:
        model: images ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images in ``[0, 1]``.
        label: true classes, ``(B,)``.
        near: a distance at which an adversarial image is expected, ``(B,)``.
        steps: number of steps of each round; each costs a forward and a backward pass.
        rounds: number of weights that are tried.
        rate: length of Adam's first steps in each value, in units of ``x``; it falls to a hundredth of it, as a cosine.
    """
    slope = ascent(model, x, label, margin)[1].flatten(1).norm(dim=1)
    weight = 2 * near / slope.clamp_min(torch.finfo(x.dtype).tiny)
    low, high = torch.zeros_like(weight), torch.full_like(weight, math.inf)
    search = Search(x, steps)
    for _ in range(rounds):
        change = torch.zeros_like(x)
        descent = Adam([change], lr=rate)
        schedule = CosineAnnealingLR(descent, steps, eta_min=rate / 100)
        succeeded = torch.zeros_like(label, dtype=torch.bool)
        for step in range(steps):
            logits, climb = ascent(model, x + change, label, margin)
            wrong = logits.argmax(1) != label
            search.note(step, wrong, change)
            succeeded |= wrong
            change.grad = 2 * change - each_of(weight.where(~wrong, 0.0), x) * climb
            descent.step()
            schedule.step()
            change.copy_((x + change).clamp(0, 1) - x)
        low, high = weight.where(~succeeded, low), weight.where(succeeded, high)
        between = (low * high).sqrt()
        weight = torch.where(high.isinf(), FIRST * weight, torch.where(low > 0, between, weight / FIRST))
    return search.result(torch.zeros_like(x))
