"""Targeted attack: importance is drawn into a region that had least of it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ..components.decorators import perturbation
from ..toolkit.checks import at_least
from ..toolkit.pixels import magnitudes
from ..toolkit.rng import SampleRng
from .shared.map_attack import SOURCE, Climb, Through, applies, attack
from .shared.worst import Worst


@perturbation(
    source=SOURCE + "; the region is chosen here, since they leave it to the user", applies=applies, version=3
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
    side: int = 8,
    eps: float = 0.1,
    step: float = 1.0,
    steps: int = 50,
    restarts: int = 1,
    beta: float = 5.0,
    through: Through = "auto",
    other: str = "",
) -> Tensor:
    """The image near ``x`` whose map has the most in the square where the original map has least, shaped like ``x``.

    What is differentiated, what is kept and how it transfers to other methods is as in
    :func:`~xaiboard.benchmark.perturbations.topk_attack.topk_attack`.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        target: explained classes, ``(B,)``.
        logits: outputs for ``x``.
        attribution: map of ``x``.
        explain: the attacked method.
        method: its name.
        other_model: the network that is differentiated.
        rng: random numbers of each sample, for further starts, and for steps where there is no gradient.
        side: of the square, in pixels, at most those of the image; the first of several that have least.
        eps: radius in the sup norm, in units of ``x``, the range of a pixel being 1.
        step: length of the first step, in radii, as for ``topk_attack``.
        steps: number of steps, as for ``topk_attack``.
        restarts: number of starts: the first at ``x``, the others anywhere in the ball.
        beta: sharpness of the softplus, as for ``topk_attack``.
        through: the map that is differentiated, as for ``topk_attack``.
        other: the model whose smooth copy is differentiated instead of the judged one's, as for ``topk_attack``.

    Raises:
        XaiboardError: a setting out of range.
    """
    at_least(1, "target_attack", side=side)
    del other  # read by the engine, which supplies the model
    climb = Climb("target_attack", eps, step, steps, restarts, beta, through, method, other_model)
    region = least_square(attribution, side)

    def elsewhere(other: Tensor) -> Tensor:
        values = magnitudes(other)
        total = values.sum((1, 2)).clamp_min(torch.finfo(values.dtype).tiny)
        return -(values * region).sum((1, 2)) / total

    worst = Worst(x, logits, attribution, elsewhere)
    return attack(
        climb,
        model,
        x,
        target,
        worst,
        explain,
        rng,
        lambda values: (values * region).mean((1, 2)),
    )


def least_square(attribution: Tensor, side: int) -> Tensor:
    """1 in the square of ``side`` pixels that holds least of the magnitudes, ``(B, H, W)``."""
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
