"""Adversarial training: Madry's, in two norms, and TRADES."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from ....benchmark.toolkit.pgd import pgd_l2, pgd_linf
from .climb import climb_linf
from .objective import Objective


def adversarial_linf(*, eps: float = 0.1, step: float = 0.02, steps: int = 10) -> Objective:
    """Cross-entropy on PGD examples instead of the images (Madry et al. 2018, arXiv:1706.06083, eq. 2.1).

    Args:
        eps: radius of the L-inf ball, in units of ``x``.
        step: length of a step of the attack, in units of ``x``.
        steps: number of steps of the attack.
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        logits = model(pgd_linf(model, x, label, eps=eps, step=step, steps=steps, generator=generator))
        return cross_entropy(logits, label), logits

    return objective


def adversarial_l2(*, eps: float = 0.5, step: float = 0.1, steps: int = 10) -> Objective:
    """As :func:`adversarial_linf`, with ``eps`` and ``step`` measured in the L2 norm."""

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        logits = model(pgd_l2(model, x, label, eps=eps, step=step, steps=steps, generator=generator))
        return cross_entropy(logits, label), logits

    return objective


def trades(*, eps: float = 0.1, step: float = 0.02, steps: int = 10, beta: float = 6.0) -> Objective:
    """TRADES: cross-entropy on the images, plus ``beta`` times the divergence of predictions on attacked images.

    The divergence is ``KL(p(x) | p(x'))``, where p are the predicted probabilities and x' is the attacked image. The
    attack maximises the same divergence; it starts at ``x + 0.001 N(0, 1)`` (Zhang et al. 2019, arXiv:1901.08573, eq. 5
    and algorithm 1).

    Args:
        eps: radius of the L-inf ball, in units of ``x``.
        step: length of a step of the attack, in units of ``x``.
        steps: number of steps of the attack.
        beta: weight of the divergence, the paper's ``1 / lambda``.
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            clean = model(x).log_softmax(1)

        def divergence(attacked: Tensor) -> Tensor:
            return kl_div(model(attacked).log_softmax(1), clean, reduction="sum", log_target=True)

        noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        attacked = climb_linf(divergence, x, x + 0.001 * noise, eps=eps, step=step, steps=steps)
        logits, attacked_logits = model(torch.cat([x, attacked])).chunk(2)
        mean_divergence = kl_div(
            attacked_logits.log_softmax(1), logits.log_softmax(1), reduction="batchmean", log_target=True
        )
        return cross_entropy(logits, label) + beta * mean_divergence, logits

    return objective
