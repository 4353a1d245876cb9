"""The relative change of a map near an input, compared with another change."""

from collections.abc import Callable, Iterator
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor, nn
from torch.linalg import vector_norm

EPS_MIN = 1e-6
"""Smallest change of the input or of the output by which a change of the map is divided."""

Floor = Annotated[float, Interval(gt=0, le=1), "a share of the largest magnitude"]
"""The smallest divisor of an element's change."""


def relative_change(before: Tensor, after: Tensor, floor: float) -> Tensor:
    """L2 norm of ``(after - before) / before``, element by element, ``(B,)``.

    Elements of ``before`` count as at least ``floor`` of the largest magnitude in both.
    """
    before, after = before.flatten(1), after.flatten(1)
    highest = torch.maximum(before.abs(), after.abs()).amax(1, keepdim=True)
    least = (floor * highest).clamp_min(torch.finfo(before.dtype).tiny)
    return vector_norm((after - before) / torch.maximum(before.abs(), least), dim=1)


def largest_ratio(
    model: nn.Module,
    logits: Tensor,
    attribution: Tensor,
    around: Iterator[tuple[Tensor, Tensor]],
    distance: Callable[[Tensor, Tensor], Tensor],
    floor: float,
) -> tuple[Tensor, Tensor]:
    """Largest ratio of the map's relative change to each of D distances where the prediction stays, ``(D, B)``.

    Args:
        model: classifier, to logits ``(B, K)``.
        logits: outputs for the samples, ``(B, K)``.
        attribution: maps of the samples.
        around: random inputs around the samples, each with its map.
        distance: D distances of such an input and its logits from the samples, ``(D, B)``.
        floor: smallest divisor of the map's change.

    Returns:
        The ratios, and the share of the random inputs with the same prediction, ``(B,)``.
    """
    ratios, kept = [], []
    for near, nearby in around:
        with torch.no_grad():
            outputs = model(near)
        same = (outputs.argmax(1) == logits.argmax(1)).to(attribution)
        change = same * relative_change(attribution, nearby, floor)
        ratios.append(change / distance(near, outputs).clamp_min(EPS_MIN))
        kept.append(same)
    return torch.stack(ratios).amax(0), torch.stack(kept).mean(0)
