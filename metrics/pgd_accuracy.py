"""Accuracy under projected gradient descent: an upper bound of the accuracy in a ball around the inputs."""

from typing import Literal

import torch
from torch import Tensor, nn

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.pgd import in_l2_ball, log_odds, margin, pgd_l2, pgd_linf
from ..benchmark.toolkit.ranges import Count, NotNegative
from ..benchmark.toolkit.rng import SampleRng

STRIDE = 2.5
"""Sum of the lengths of all steps, in radii (Madry et al. 2018): enough to reach the border from any start."""


@metric(
    family="model",
    higher_is_better=True,
    across_models=True,
    range=(0, 1),
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
    epsilon: NotNegative = 0.5,
    steps: Count = 20,
    restarts: Count = 2,
) -> Tensor:
    """1 where the prediction is right and no restart of the attack changes it, else 0, ``(B,)``.

    Restarts climb the cross-entropy and the margin in turn. Where logits differ little (1-Lipschitz networks), the
    cross-entropy moves away from all other classes at once, and the margin finds adversarial images that it misses.

    Args:
        model: images to logits ``(B, K)``.
        x: images in ``[0, 1]``, ``(B, C, H, W)``; attacked images stay in this range.
        label: true classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        rng: random numbers of each sample, for the starts.
        norm: norm of the ball around the image.
        epsilon: radius of the ball, in units of ``x``.
        steps: number of steps of each restart, each ``2.5 * epsilon / steps`` long; each costs a forward and a backward
            pass.
        restarts: number of attacks, each from a random start in the ball; more of them can only lower the accuracy.
    """
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
