"""Projected gradient descent: an attack on the prediction, to compare with attacks on its explanation."""

import torch
from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.pgd import log_odds, pgd_linf
from ..toolkit.ranges import Count, NotNegative, Radius
from ..toolkit.rng import SampleRng


@perturbation(source="Madry et al. 2018, arXiv:1706.06083, section 2.1; it climbs the log odds")
def pgd(
    model: nn.Module,
    x: Tensor,
    logits: Tensor,
    rng: SampleRng,
    *,
    eps: Radius = 0.1,
    step: NotNegative = 0.25,
    steps: Count = 10,
    restarts: Count = 1,
) -> Tensor:
    """The image near ``x`` with the highest log odds against the class predicted for ``x``, shaped like ``x``.

    The attack looks for another prediction. Samples whose prediction changes are left out of the metrics that compare
    maps. The maps of the remaining samples show how far an attack on the prediction moves the explanation as well. The
    gradient of the log odds has the direction of the cross-entropy's, and does not vanish where the softmax saturates.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        logits: outputs for ``x``, ``(B, K)``.
        rng: random numbers of each sample, for the starts.
        eps: radius of the ball around ``x`` in the sup norm, in units of ``x``.
        step: length of a step, in radii; the default steps add up to 2.5 radii.
        steps: number of steps from each start; each costs a forward and a backward pass.
        restarts: number of starts, drawn from the ball. Of the images where they end, the one with the highest log odds
            against the class is returned.
    """
    label = logits.argmax(1)
    best, highest = x, torch.full_like(logits[:, 0], -torch.inf)
    for _ in range(restarts):
        start = rng.uniform(x, -eps, eps)
        found = pgd_linf(model, x, label, eps=eps, step=step * eps, steps=steps, start=start, loss=log_odds)
        with torch.no_grad():
            against = log_odds(model(found), label)
        better = against > highest
        best = torch.where(better.view(-1, *[1] * (x.dim() - 1)), found, best)
        highest = torch.where(better, against, highest)
    return best
