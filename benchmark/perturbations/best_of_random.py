"""Best of random: the worst of many noisy images, for the map that is explained."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn
from torch.linalg import vector_norm

from ..components.decorators import perturbation
from ..toolkit.per_side import sized, so_many_pixels
from ..toolkit.pixels import magnitudes
from ..toolkit.ranges import Count, NotNegative, Radius
from ..toolkit.rng import SampleRng
from ..toolkit.top_pixels import top_pixels
from .shared.agreement import mass_centre, spearman_with
from .shared.worst import Worst

Measure = Literal["spearman", "intersection", "mass_centre"]


@perturbation(
    source="Chen et al. 2019, arXiv:1905.09957, and its use by Kamath et al. 2024, arXiv:2312.10534",
    version=2,
)
def best_of_random(
    model: nn.Module,
    x: Tensor,
    logits: Tensor,
    attribution: Tensor,
    explain: Callable[[Tensor], Tensor],
    rng: SampleRng,
    *,
    eps: Radius = 0.1,
    step: NotNegative = 0.1,
    steps: Count = 100,
    restarts: Count = 3,
    measure: Measure = "spearman",
    k: Count = so_many_pixels(100),
) -> Tensor:
    """The image on random walks from ``x`` whose map agrees least with that of ``x``, shaped like ``x``.

    This is the "random" attack of the released code. In each step every element moves up or down by ``step``, and is
    put back into the ball and into ``[0, 1]``. Of all visited images that are predicted as ``x`` is, the one with the
    worst map is kept; ``x`` itself if no map is worse. The attack uses no gradient, so it attacks every method alike.
    The released code keeps the lowest Kendall correlation; Spearman's orders images much the same and is faster.

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        logits: outputs for ``x``, ``(B, K)``.
        attribution: map of ``x`` by the attacked method.
        explain: the attribution of any input by the attacked method.
        rng: random numbers of each sample.
        eps: radius of the ball around ``x`` in the sup norm, in units of ``x``.
        step: length of a step, in radii.
        steps: number of steps of a walk; each costs an explanation and a forward pass.
        restarts: number of walks, all from ``x``.
        measure: how agreement is measured: by the rank correlation of the maps, by the share of the ``k`` top pixels
            that they have in common, or by how near their centres of mass are.
        k: number of top pixels, for ``intersection``.

    Raises:
        XaiboardError: ``k`` is larger than the number of pixels.
    """
    k = sized(k, x)
    worst = Worst(x, logits, attribution, _agreement(attribution, measure, k))
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    for _ in range(restarts):
        walk = x
        for _ in range(steps):
            walk = (walk + step * eps * rng.sign(x)).clamp(low, high)
            worst.offer(walk, model, explain)
    return worst.x


def _agreement(attribution: Tensor, measure: Measure, k: int) -> Callable[[Tensor], Tensor]:
    """Agreement of a map with ``attribution``, ``(B,)``; the higher the more alike."""
    if measure == "spearman":
        return spearman_with(attribution)
    if measure == "intersection":
        top = top_pixels(attribution, k, "best_of_random").pixels
        return lambda other: (top * top_pixels(other, k, "best_of_random").pixels).sum((1, 2)) / k
    centre = mass_centre(magnitudes(attribution))
    return lambda other: -vector_norm(mass_centre(magnitudes(other)) - centre, dim=1)
