"""Projected gradient descent: an attack on the prediction, for contrast with attacks on its explanation."""

import torch
from torch import Tensor, nn

from ..components.decorators import perturbation
from ..toolkit.checks import at_least, radius
from ..toolkit.pgd import log_odds, pgd_linf
from ..toolkit.rng import SampleRng


@perturbation(source="Madry et al. 2018, arXiv:1706.06083, section 2.1; it climbs the log odds")
def pgd(
    model: nn.Module,
    x: Tensor,
    logits: Tensor,
    rng: SampleRng,
    *,
    eps: float = 0.1,
    step: float = 0.25,
    steps: int = 10,
    restarts: int = 1,
) -> Tensor:
    """The image near ``x`` that speaks most against the class that is predicted for ``x``, shaped like ``x``.

    It looks for another prediction, and where it finds one a row counts it as not held: what maps do on the samples
    that are left says how far an attack on the prediction moves its explanation as well. The gradient of the log odds
    has the direction of the cross-entropy's, and is still known where a softmax saturates.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        logits: outputs for ``x``.
        rng: random numbers of each sample, for the starts, anywhere in the ball.
        eps: radius in the sup norm, in units of ``x``, the range of a pixel being 1.
        step: length of a step, in radii; with the defaults 2.5 radii are walked.
        steps: number of steps; each costs a forward and a backward pass.
        restarts: number of starts; the end with the highest log odds against the class is kept.

    Raises:
        XaiboardError: a setting out of range.
    """
    radius("pgd", eps)
    at_least(0, "pgd", step=step)
    at_least(1, "pgd", steps=steps, restarts=restarts)
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
