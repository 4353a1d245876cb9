"""Targeted attack: importance is drawn into the region that had least of it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ..components.decorators import perturbation
from ..toolkit.per_side import in_proportion, sized
from ..toolkit.pixels import magnitudes
from ..toolkit.ranges import Count
from ..toolkit.rng import SampleRng
from .shared.map_attack import SOURCE, Climb, Victim, applies, attack
from .shared.worst import Worst


@perturbation(
    source=SOURCE + "; the region is chosen here, since they leave it to the user",
    applies=applies,
    version=3,
    images=True,
)
def target_attack(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    logits: Tensor,
    attribution: Tensor,
    explain: Callable[[Tensor], Tensor],
    method: str,
    other_model: nn.Module,
    rng: SampleRng,
    *,
    side: Count = in_proportion(8),
    climb: Climb = Climb(),
) -> Tensor:
    """The image near ``x`` whose map has most of its mass in the square where the map of ``x`` has least, like ``x``.

    How the image is searched, and what is attacked when the method cannot be differentiated, is as in
    :func:`~xaiboard.benchmark.perturbations.topk_attack.topk_attack`.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``, ``(B, K)``.
        attribution: map of ``x`` by the attacked method.
        explain: the attribution of any input by the attacked method.
        method: name of the attacked method.
        other_model: the network whose smooth copy is differentiated.
        rng: random numbers of each sample, for further starts and for steps where there is no gradient.
        side: side of the square, in pixels; cut to the image. Of several squares with the least mass the first is
            taken.
        climb: how the attack moves.

    Raises:
        XaiboardError: the method's own gradient is asked for, and it has none.
    """
    region = least_square(attribution, sized(side, x))

    def elsewhere(other: Tensor) -> Tensor:
        values = magnitudes(other)
        total = values.sum((1, 2)).clamp_min(torch.finfo(values.dtype).tiny)
        return -(values * region).sum((1, 2)) / total

    def loss(values: Tensor) -> Tensor:
        return (values * region).mean((1, 2))

    victim = Victim(model, x, target, explain, method, other_model)
    return attack("target_attack", climb, victim, Worst(x, logits, attribution, elsewhere), loss, rng)


def least_square(attribution: Tensor, side: int) -> Tensor:
    """1 in the square of ``side`` times ``side`` pixels with the smallest sum of magnitudes, else 0, ``(B, H, W)``."""
    values = magnitudes(attribution)
    height, width = values.shape[1:]
    tall, wide = min(side, height), min(side, width)
    held = avg_pool2d(values[:, None], (tall, wide), stride=1)[:, 0]
    place = held.flatten(1).argmin(1)
    top, left = place // held.shape[2], place % held.shape[2]
    rows, columns = (torch.arange(length, device=values.device) for length in (height, width))
    inside = [
        (line >= first[:, None]) & (line < first[:, None] + length)
        for line, first, length in ((rows, top, tall), (columns, left, wide))
    ]
    return (inside[0][:, :, None] & inside[1][:, None]).to(values)
