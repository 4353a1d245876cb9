"""Cross-entropy on unchanged images, alone and with an L1 penalty on the parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .objective import Objective


def natural() -> Objective:
    """Cross-entropy on unchanged images."""
    return l1(weight=0.0)


def l1(*, weight: float = 2e-4) -> Objective:
    """Cross-entropy plus ``weight`` times the L1 norm of all parameters, biases too.

    The baseline of Chalasani et al. 2020, arXiv:1810.06583. They add 0.01 times the norm to the sum of the
    cross-entropy over 50 images; here the cross-entropy is a mean, and the same weight is ``0.01 / 50 = 2e-4``.

    Args:
        weight: weight of the penalty.
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        del generator
        logits = model(x)
        loss = cross_entropy(logits, label)
        if weight:
            loss = loss + weight * torch.stack([value.abs().sum() for value in model.parameters()]).sum()
        return loss, logits

    return objective
