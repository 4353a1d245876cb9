"""Distance to the nearest adversarial image in ``[0, 1]`` that any of several attacks finds."""

import torch
from torch import Tensor, nn

from ...benchmark.toolkit.carlini_wagner import carlini_wagner
from ...benchmark.toolkit.deepfool import deepfool
from ...benchmark.toolkit.minimal_attacks import each_of, shorten
from ...benchmark.toolkit.pgd import in_l2_ball, log_odds, margin, pgd_l2
from ...benchmark.toolkit.ranges import Count
from ...benchmark.toolkit.rng import SampleRng
from .box_distance import box_distance

CLOSER = 0.95
"""Radius of the balls in which PGD looks for a nearer image, as a share of the distance so far."""

TRIES = 4
"""How often it does, from another start each time."""

STRIDE = 2.5
"""Sum of the lengths of its steps, in radii."""


def combined_distance(
    model: nn.Module, x: Tensor, label: Tensor, logits: Tensor, rng: SampleRng, *, steps: Count = 100
) -> Tensor:
    """As :func:`~.box_distance.box_distance`, of the best of four attacks on each image, ``(B, 2)``.

    They are DDN on both losses, DeepFool, Carlini & Wagner with six weights of the margin, and PGD: four times,
    climbing the two losses in turn, in a ball whose radius is a little less than the distance so far. Each result is
    shortened by bisection. Attacks that climb the margin go to the class with the largest logit, DeepFool to the
    nearest boundary. Images that are predicted wrong have distance 0 and are left alone.

    Args:
        model: images to logits ``(B, K)``.
        x: images in ``[0, 1]``, ``(B, C, H, W)``.
        label: true classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        rng: random numbers of each sample, for the starts of PGD.
        steps: number of steps of each run of DDN and PGD, and of each round of Carlini & Wagner; DeepFool has half of
            them at most. An image costs about twelve times so many forward and backward passes, and with ten classes
            as many backward passes again.
    """
    starts = [in_l2_ball(rng.normal(x), rng.uniform(x.flatten(1)[:, 0]), 1.0) for _ in range(TRIES)]
    right = logits.argmax(1) == label
    result = torch.stack([torch.zeros_like(x.flatten(1)[:, 0]), torch.ones_like(x.flatten(1)[:, 0])], 1)
    if right.any():
        starts = [start[right] for start in starts]
        result[right] = _nearest(model, x[right], label[right], starts, steps)
    return result


def _nearest(model: nn.Module, x: Tensor, label: Tensor, starts: list[Tensor], steps: int) -> Tensor:
    """Distance, and whether an adversarial image was found, ``(B, 2)``, of images that are predicted right."""
    nearest, found = box_distance(model, x, label, steps=steps).unbind(1)

    def with_change(change: Tensor) -> None:
        nonlocal nearest, found
        with torch.no_grad():
            wrong = model(x + change).argmax(1) != label
        distance = shorten(model, x, label, change).flatten(1).norm(dim=1)
        nearest = torch.where(wrong, torch.minimum(nearest, distance), nearest)
        found = found.maximum(wrong.to(found))

    with_change(deepfool(model, x, label, steps=max(1, steps // 2)))
    with_change(carlini_wagner(model, x, label, nearest, steps=steps).change)
    for attempt, start in enumerate(starts):
        radius = CLOSER * nearest
        ball = each_of(radius, x) * start
        loss = margin if attempt % 2 else log_odds
        step = STRIDE * radius / steps
        with_change(pgd_l2(model, x, label, eps=radius, step=step, steps=steps, start=ball, loss=loss) - x)
    return torch.stack([nearest, found], 1)
