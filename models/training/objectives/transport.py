"""Objectives of 1-Lipschitz networks: the optimal-transport loss hKR in three forms, and tempered cross-entropy."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ....benchmark.errors import XaiboardError
from ..hkr import SoftHKR, binary_hkr, one_vs_all_hkr
from .objective import Objective


class _Soft(nn.Module):
    """The objective that :func:`transport` makes; a module, so that checkpoints contain the loss's running mean."""

    def __init__(self, loss: SoftHKR) -> None:
        super().__init__()
        self.loss = loss

    def forward(
        self, model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        del generator
        logits = model(x)
        return self.loss(logits, label), logits


def transport(*, alpha: float = 0.98, min_margin: float = 1.0, temperature: float = 10.0) -> Objective:
    """The hKR loss with softmax weights, see :class:`~xaiboard.models.training.hkr.SoftHKR`.

    Args:
        alpha: weight of the hinge, in ``[0, 1]``; with 1 there is no transport term.
        min_margin: gap between the classes' logits that the hinge asks for, in units of ``x`` (L2).
        temperature: sharpness of the softmax for small logits.
    """
    return _Soft(SoftHKR(alpha=alpha, min_margin=min_margin, temperature=temperature))


def transport_one_vs_all(*, alpha: float = 0.98, min_margin: float = 1.0) -> Objective:
    """The hKR loss of each class against the others, see :func:`~xaiboard.models.training.hkr.one_vs_all_hkr`.

    Args:
        alpha: weight of the hinge, in ``[0, 1]``.
        min_margin: gap around 0 that the hinge asks of each logit, in units of ``x`` (L2).
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        del generator
        logits = model(x)
        return one_vs_all_hkr(logits, label, alpha=alpha, min_margin=min_margin), logits

    return objective


def transport_binary(*, alpha: float = 0.98, min_margin: float = 1.0) -> Objective:
    """The hKR loss of two classes, see :func:`~xaiboard.models.training.hkr.binary_hkr`.

    The score is ``(f_1 - f_0) / sqrt(2)``. It is 1-Lipschitz if the vector of the two logits is; its magnitude is then
    the certified radius.

    Args:
        alpha: weight of the hinge, in ``[0, 1]``.
        min_margin: gap between the classes' scores that the hinge asks for, in units of ``x`` (L2).
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        del generator
        logits = model(x)
        if logits.shape[1] != 2:
            raise XaiboardError(
                f"the binary hKR loss needs a data set of 2 classes; this one has {logits.shape[1]}: train on"
                " 'digits-0-8', or a model with another loss"
            )
        score = (logits[:, 1] - logits[:, 0]) / sqrt(2)
        return binary_hkr(score, label, alpha=alpha, min_margin=min_margin), logits

    return objective


def tempered(*, temperature: float = 10.0) -> Objective:
    """Cross-entropy of ``temperature`` times the logits, divided by ``temperature``.

    Lets a 1-Lipschitz network, whose logits cannot grow, be trained without a transport term (Bethune et al. 2022,
    arXiv:2104.05097). The larger the temperature, the more accurate and the less robust is the network.

    Args:
        temperature: factor of the logits.
    """

    def objective(
        model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        del generator
        logits = model(x)
        return cross_entropy(temperature * logits, label) / temperature, logits

    return objective
