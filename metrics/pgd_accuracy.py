"""Accuracy under projected gradient descent: an upper bound of the accuracy in a ball around the inputs."""

from typing import Literal

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.checks import at_least
from ..benchmark.toolkit.pgd import in_l2_ball, log_odds, margin, pgd_l2, pgd_linf
from ..benchmark.toolkit.rng import SampleRng

STRIDE = 2.5
"""Length of all steps together, in radii (Madry et al. 2018): enough to reach the border from any start."""


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    source="Madry et al. 2018, arXiv:1706.06083, section 2.1",
)
def pgd_accuracy(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    logits: Tensor,
    rng: SampleRng,
    *,
    norm: Literal["l2", "linf"] = "l2",
    epsilon: float = 0.5,
    steps: int = 20,
    restarts: int = 2,
) -> Tensor:
    """1 where the prediction is right and no restart of the attack changed it, 0 elsewhere, ``(B,)``.

    Restarts climb the cross-entropy and the margin in turn: where logits differ little (1-Lipschitz networks) the
    cross-entropy flees all other classes at once, and the margin finds what it misses.

    Args:
        model: images to logits ``(B, K)``.
        x: images in ``[0, 1]``, ``(B, C, H, W)``; attacked images stay there.
        label: true classes, ``(B,)``.
        logits: for ``x``, ``(B, K)``.
        rng: of the starts, anywhere in the ball.
        norm: of the ball.
        epsilon: its radius, in units of ``x``.
        steps: of each restart, ``2.5 * epsilon / steps`` long.
        restarts: attacks from a start of their own; more of them can only break more.

    Raises:
        XaiboardError: ``epsilon`` is negative, or there is no step or no restart.
    """
    at_least(0, "pgd_accuracy", epsilon=epsilon)
    at_least(1, "pgd_accuracy", steps=steps, restarts=restarts)
    attack = pgd_linf if norm == "linf" else pgd_l2
    right = logits.argmax(1) == label
    for restart in range(restarts):
        if norm == "linf":
            start = rng.uniform(x, -epsilon, epsilon)
        else:
            start = in_l2_ball(rng.normal(x), rng.uniform(label[:, None].to(x))[:, 0], epsilon)
        loss = margin if restart % 2 else log_odds
        step = STRIDE * epsilon / steps
        attacked = attack(model, x, label, eps=epsilon, step=step, steps=steps, start=start, loss=loss)
        with torch.no_grad():
            right = right & (model(attacked).argmax(1) == label)
    return right.to(logits)
