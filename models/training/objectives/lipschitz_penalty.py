"""The stochastic Lipschitz penalty of "Adversarial explanations", whose weight adapts to the loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ....benchmark.toolkit.minimal_attacks import l2_loop
from .objective import Objective

MARGIN_SHARE = 0.2
"""Share of the images for which the gradient of the margin is penalised, instead of that of a random logit."""


class AdaptiveWeight(nn.Module):
    """Weight of the penalty. It grows as long as the cross-entropy is below its target, and shrinks above it.

    The weight is ``start * exp(growth * I)``. Before each step ``I`` changes by ``-ln(loss / target)``, clipped to
    ``[-0.01, 1]``, but never falls below 0 (Woods et al. 2019, arXiv:1906.02896, and their released code).

    Args:
        target: cross-entropy, in nats, at which training settles.
        start: smallest weight.
        growth: how much the logarithm of the weight grows with each unit of I.
    """

    total: Tensor

    def __init__(self, *, target: float = 1.5, start: float = 220.0, growth: float = 0.02) -> None:
        super().__init__()
        self.target, self.start, self.growth = target, start, growth
        self.register_buffer("total", torch.zeros(()))

    def forward(self, loss: Tensor) -> Tensor:
        """The weight, a scalar, for a step with mean cross-entropy ``loss``."""
        change = -(loss.detach() / self.target).log()
        self.total = (self.total + change.clamp(-0.01, 1.0)).clamp_min(0)
        return self.start * (self.growth * self.total).exp()


class _Penalty(nn.Module):
    """The objective that :func:`lipschitz_penalty` makes; a module, so that checkpoints contain its weight."""

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
    """Cross-entropy plus a penalty on the input gradient of one logit, or of the margin, of each image.

    For each image a logit ``f_k`` is drawn at random; for a share of :data:`MARGIN_SHARE` of the images it is replaced
    by the margin ``f_label - max_other f``. The penalty is the square of its gradient, averaged over images and pixels,
    times :class:`AdaptiveWeight` (Woods et al. 2019, arXiv:1906.02896; details from their released code). Cross-entropy
    and penalty are taken at the same image, attacked or not.

    Args:
        target: cross-entropy, in nats, to which the weight steers the training.
        start: smallest weight.
        growth: growth of the weight, see :class:`AdaptiveWeight`.
        attacked: share of the images that are replaced by a misclassified neighbour, which may leave ``[0, 1]``.
        eps: length of the attack's path: root mean square over pixels, in units of ``x``.
        steps: number of steps of the attack.
    """
    return _Penalty(AdaptiveWeight(target=target, start=start, growth=growth), attacked, eps, steps)


def _drawn_score(logits: Tensor, label: Tensor, generator: torch.Generator) -> Tensor:
    """For each image a random logit, or its margin; ``(B, 1)``."""
    drawn = torch.rand(len(logits), generator=generator, device=logits.device)
    k = torch.randint(logits.shape[1], (len(logits), 1), generator=generator, device=logits.device)
    own = logits.gather(1, label[:, None])
    other = logits.scatter(1, label[:, None], -math.inf).amax(1, keepdim=True)
    return torch.where(drawn[:, None] < MARGIN_SHARE, own - other, logits.gather(1, k))
