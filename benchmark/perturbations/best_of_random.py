"""Best of random: the worst of many noisy images, for the map that is explained."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn
from torch.linalg import vector_norm

from ..components.decorators import perturbation
from ..toolkit.checks import at_least, radius
from ..toolkit.pixels import magnitudes
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
    eps: float = 0.1,
    step: float = 0.1,
    steps: int = 100,
    restarts: int = 3,
    measure: Measure = "spearman",
    k: int = 100,
) -> Tensor:
    """The image on a random walk of signs whose map agrees least with that of ``x``, shaped like ``x``.

    The "random" attack of the released code: a step of ``step`` up or down for each element, back into the ball and
    into ``[0, 1]``, some hundred times over; of all images that are predicted as ``x`` is, the worst is kept, and
    ``x`` itself where none is worse. It uses no gradient, so it attacks every method alike. (The released code keeps
    the lowest Kendall correlation; Spearman's orders images much the same and is quicker.)

    Args:
        model: classifier, to logits ``(B, K)``.
        x: inputs in ``[0, 1]``.
        logits: outputs for ``x``.
        attribution: map of ``x``.
        explain: the attacked method.
        rng: random numbers of each sample.
        eps: radius in the sup norm, in units of ``x``, the range of a pixel being 1.
        step: length of a step, in radii.
        steps: number of steps; each costs an explanation and a forward pass.
        restarts: number of walks, all from ``x``.
        measure: what is kept lowest: rank correlation, the share of the ``k`` largest pixels that stay, or the
            closeness of the centres of mass.
        k: pixels in a set, for the intersection.

    Raises:
        XaiboardError: a radius outside ``[0, 1]``, a negative step, fewer than one step or walk, or no set of the
            map's pixels has ``k`` of them.
    """
    radius("best_of_random", eps)
    at_least(0, "best_of_random", step=step)
    at_least(1, "best_of_random", steps=steps, restarts=restarts)
    worst = Worst(x, logits, attribution, _agreement(attribution, measure, k))
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    for _ in range(restarts):
        walk = x
        for _ in range(steps):
            walk = (walk + step * eps * rng.sign(x)).clamp(low, high)
            worst.offer(walk, model, explain)
    return worst.x


def _agreement(attribution: Tensor, measure: Measure, k: int) -> Callable[[Tensor], Tensor]:
    """Agreement of a map with ``attribution``, ``(B,)``."""
    if measure == "spearman":
        return spearman_with(attribution)
    if measure == "intersection":
        top = top_pixels(attribution, k, "best_of_random").pixels
        return lambda other: (top * top_pixels(other, k, "best_of_random").pixels).sum((1, 2)) / k
    centre = mass_centre(magnitudes(attribution))
    return lambda other: -vector_norm(mass_centre(magnitudes(other)) - centre, dim=1)
