"""The stochastic Lipschitz penalty of "Adversarial explanations", whose weight follows the loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ....benchmark.toolkit.minimal_attacks import l2_loop
from .objective import Objective

TANDEM = 0.2
"""Share of the images whose margin is penalised, instead of a logit drawn at random."""


class AdaptiveWeight(nn.Module):
    """Weight of the penalty: it grows while the loss is below its target.

    ``start * exp(growth * I)``, where ``I`` changes by ``-ln(loss / target)``, clipped to ``[-0.01, 1]``, before each
    step and never falls below 0 (Woods et al. 2019, arXiv:1906.02896, and their released code).

    Args:
        target: cross-entropy, in nats, that training settles at.
        start: smallest weight.
        growth: of the weight, for each unit of I.
    """

    total: Tensor

    def __init__(self, *, target: float = 1.5, start: float = 220.0, growth: float = 0.02) -> None:
        super().__init__()
        self.target, self.start, self.growth = target, start, growth
        self.register_buffer("total", torch.zeros(()))

    def forward(self, loss: Tensor) -> Tensor:
        """The weight for the step whose mean cross-entropy is ``loss``, a scalar."""
        change = -(loss.detach() / self.target).log()
        self.total = (self.total + change.clamp(-0.01, 1.0)).clamp_min(0)
        return self.start * (self.growth * self.total).exp()


class _Penalty(nn.Module):
    def __init__(self, weight: AdaptiveWeight, attacked: float, eps: float, steps: int) -> None:
        super().__init__()
        self.weight, self.attacked, self.eps, self.steps = weight, attacked, eps, steps

    def forward(
        self, model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        if self.attacked:
            x = self._attack_some(model, x, label, generator)
        leaf = x.detach().requires_grad_()
        logits = model(leaf)
        score = _drawn_score(logits, label, generator)
        (gradient,) = torch.autograd.grad(score.sum(), leaf, create_graph=True)
        loss = cross_entropy(logits, label)
        return loss + self.weight(loss) * gradient.square().mean(), logits

    def _attack_some(self, model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
        chosen = torch.rand(len(x), generator=generator, device=x.device) < self.attacked
        if not chosen.any():
            return x
        near, truth = x[chosen], label[chosen]
        found = l2_loop(model, near, truth, rule="l2min", path=self.eps, steps=self.steps)
        return x.index_put((chosen,), near + found.change)


def lipschitz_penalty(
    *,
    target: float = 1.5,
    start: float = 220.0,
    growth: float = 0.02,
    attacked: float = 0.0,
    eps: float = 0.1,
    steps: int = 7,
) -> Objective:
    """Cross-entropy plus a penalty on the gradient of one logit, or margin, of each image.

    The mean over images and pixels of the squared gradient of ``f_k``, k drawn anew for each image, or, for a share
    of :data:`TANDEM` of them, of ``f_label - max_other f`` (Woods et al. 2019, arXiv:1906.02896; details from their
    released code), times :class:`AdaptiveWeight`. At the image that is trained on, attacked or not.

    Args:
        target: cross-entropy, in nats, that the weight steers to.
        start: smallest weight.
        growth: of the weight, see :class:`AdaptiveWeight`.
        attacked: share of the images that are replaced by a misclassified neighbour, which may leave ``[0, 1]``.
        eps: length of the attack's path, a root mean square over pixels, in units of ``x``.
        steps: of the attack.
    """
    return _Penalty(AdaptiveWeight(target=target, start=start, growth=growth), attacked, eps, steps)


def _drawn_score(logits: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.rand(len(logits), generator=generator, device=logits.device)
    k = torch.randint(logits.shape[1], (len(logits), 1), generator=generator, device=logits.device)
    own = logits.gather(1, label[:, None])
    other = logits.scatter(1, label[:, None], -math.inf).amax(1, keepdim=True)
    return torch.where(drawn[:, None] < TANDEM, own - other, logits.gather(1, k))
