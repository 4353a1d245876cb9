"""Max-sensitivity: the largest relative change of the map in a small neighbourhood."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import Explain, relative_changes


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    source="Yeh et al. 2019, arXiv:1901.09392, def. 2",
)
def max_sensitivity(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    radius: float = 0.02,
    draws: int = 10,
) -> Tensor:
    """Monte Carlo maximum of ``|e(x + d) - e(x)| / |e(x)|`` over ``|d|_inf <= radius``, ``(B,)``; lower is better.

    Perturbed inputs are not clamped to ``[0, 1]``, as in the paper. ``explain`` draws the same random numbers
    at every call, so a stochastic method is not charged for its own noise. A map that vanishes at ``x`` but not
    nearby has an infinite ratio; its norm is raised to a hundredth of the largest norm nearby, which bounds the
    score by about 100 whatever the unit of the attribution. An always vanishing map scores 0.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: random numbers of each sample.
        radius: of the sup-norm ball, in units of ``x``.
        draws: perturbed inputs of each sample.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, or ``radius`` is negative.
    """
    changes = relative_changes("max_sensitivity", explain, x, attribution, rng, radius=radius, draws=draws)
    return changes.amax(0)
