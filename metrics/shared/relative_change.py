"""How much more a map changes nearby, element by element, than something else does."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm

from ...benchmark.errors import SettingError

EPS_MIN = 1e-6
"""Least change of the input or of the output that a change of the map is divided by."""


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
    """Largest change of the map by distance where the prediction is kept, ``(D, B)``, and how often it is, ``(B,)``.

    Args:
        model: classifier.
        logits: of the samples, ``(B, K)``.
        attribution: of the samples.
        around: neighbours, each with its map.
        distance: of a neighbour and its logits from the samples, in ``D`` ways, ``(D, B)``.
        floor: least divisor of the map's change.
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


def check_floor(metric: str, floor: float) -> None:
    """Refuses a divisor's floor that is no share.

    Raises:
        XaiboardError: ``floor`` is not above 0 and at most 1.
    """
    if not 0 < floor <= 1:
        raise SettingError(
            f"setting 'floor' of '{metric}' must be above 0 and at most 1 (a share of the largest magnitude);"
            f" got '{floor:g}'"
        )
