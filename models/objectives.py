"""What training minimises: the loss on a batch, and the logits that it was computed from."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..benchmark.attacks import pgd_linf
from .hkr import SoftHKR

Objective = Callable[[nn.Module, Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""``(model, x, label, generator)`` to the loss, a scalar, and logits ``(B, K)``."""


def natural() -> Objective:
    """Cross-entropy on the images as they are."""

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        del generator
        logits = model(x)
        return cross_entropy(logits, label), logits

    return objective


def adversarial_linf(*, eps: float = 0.1, step: float = 0.02, steps: int = 10) -> Objective:
    """Cross-entropy on attacked images alone (Madry et al. 2018, arXiv:1706.06083, eq. 2.1).

    Args:
        eps: radius of the L-inf ball, in units of ``x``.
        step: length of a step of the attack, in units of ``x``.
        steps: number of steps.
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        attacked = pgd_linf(model, x, label, eps=eps, step=step, steps=steps, generator=generator)
        logits = model(attacked)
        return cross_entropy(logits, label), logits

    return objective


def transport(*, alpha: float = 0.98, min_margin: float = 1.0, temperature: float = 10.0) -> Objective:
    """The hKR loss with softmax weights, see :class:`~xaiboard.models.hkr.SoftHKR`.

    Args:
        alpha: weight of the hinge, in ``[0, 1]``.
        min_margin: gap between the classes' logits that the hinge asks for, in units of ``x`` (L2).
        temperature: sharpness of the softmax.
    """
    loss = SoftHKR(alpha=alpha, min_margin=min_margin, temperature=temperature)

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        del generator
        logits = model(x)
        return loss.to(x.device)(logits, label), logits

    return objective
