"""Distance to the nearest adversarial image in ``[0, 1]`` that attacks find."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...benchmark.toolkit.minimal_attacks import ddn, shorten
from ...benchmark.toolkit.pgd import Loss, log_odds, margin
from ...benchmark.toolkit.ranges import Count


def box_distance(model: nn.Module, x: Tensor, label: Tensor, *, steps: Count = 100) -> Tensor:
    """L2 distance to the nearest wrongly predicted image that was found in ``[0, 1]``, and whether one was found.

    It is the smaller result of two runs of DDN, each followed by a bisection of the way back to ``x``. One run climbs
    the log odds, whose gradient has the direction of the cross-entropy's; the other climbs the margin, whose direction
    does not depend on the scale of the logits. On 1-Lipschitz networks, whose logits differ little, the first run alone
    overstates distances by a fifth.

    Args:
        model: images to logits ``(B, K)``.
        x: images in ``[0, 1]``, ``(B, C, H, W)``.
        label: true classes, ``(B,)``.
        steps: number of steps of each run; each costs a forward and a backward pass.

    Returns:
        ``(B, 2)``: the distance, in units of ``x``, which is 0 where ``x`` itself is predicted wrong; and 1 where an
        image was found, else 0. If none was found, the distance is that of the farthest image in ``[0, 1]``.
    """
    return nearest_in_box(model, x, label, losses=(log_odds, margin), steps=steps)


def nearest_in_box(
    model: nn.Module,
    x: Tensor,
    label: Tensor,
    *,
    losses: Sequence[Loss],
    steps: int,
    start: float = 1.0,
    mask: Tensor | None = None,
) -> Tensor:
    """As :func:`box_distance`, with one run for each of ``losses``.

    Args:
        model: images to logits ``(B, K)``.
        x: images in ``[0, 1]``, ``(B, C, H, W)``.
        label: true classes, ``(B,)``.
        losses: what the runs climb.
        steps: number of steps of each run.
        start: first radius of the sphere on which a run moves, in units of ``x`` (L2).
        mask: 1 where ``x`` may change and 0 elsewhere; None allows every change.
    """
    farthest = torch.maximum(x, 1 - x).flatten(1).norm(dim=1)
    nearest, any_found = farthest, torch.zeros_like(label, dtype=torch.bool)
    for loss in losses:
        change, step = ddn(model, x, label, steps=steps, start=start, loss=loss, mask=mask)
        found = step <= steps
        distance = shorten(model, x, label, change).flatten(1).norm(dim=1)
        nearest = torch.where(found, torch.minimum(nearest, distance), nearest)
        any_found = any_found | found
    return torch.stack([nearest, any_found.to(nearest)], 1)
