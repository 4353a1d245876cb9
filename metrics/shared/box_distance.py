"""Distance to the nearest adversarial image that attacks find: what several metrics share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...benchmark.toolkit.minimal_attacks import ddn, shorten
from ...benchmark.toolkit.pgd import Loss, log_odds, margin


def box_distance(model: nn.Module, x: Tensor, label: Tensor, *, steps: int = 100) -> Tensor:
    """L2 distance to the nearest wrongly predicted image that was found in ``[0, 1]``, and whether one was.

    The best of two runs of DDN for each image, with a bisection of the way back. One climbs the log odds, as
    cross-entropy does, the other the margin, which the scale of the logits does not matter to: on 1-Lipschitz
    networks, whose logits differ little, the first alone overstates distances by a fifth.

    Args:
        model: images to logits ``(B, K)``.
        x: images in ``[0, 1]``, ``(B, C, H, W)``.
        label: true classes, ``(B,)``.
        steps: of each run.

    Returns:
        ``(B, 2)``: the distance in units of ``x``, 0 where ``x`` itself is predicted wrong; 1 where an image was
        found. Where none was, the distance is that of the farthest corner of the box: no image is farther.
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
    """As :func:`box_distance`, by the best of one run for each of ``losses``, where ``mask`` allows a change.

    The first radius is ``start``.
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
