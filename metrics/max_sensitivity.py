"""Max-sensitivity: the largest relative change of the map in a small neighbourhood."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import LARGEST_CHANGE, Around, Explain, relative_changes


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    range=(0, LARGEST_CHANGE),
    source="Yeh et al. 2019, arXiv:1901.09392, def. 2",
)
def max_sensitivity(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    around: Around = Around(),
) -> Tensor:
    """Monte Carlo maximum of ``|e(x + d) - e(x)| / |e(x)|`` over ``|d|_inf <= radius``, ``(B,)``; lower is better.

    Inputs are not clamped to ``[0, 1]``, as in the paper. ``explain`` draws the same random numbers at every call, so a
    stochastic method is not charged for its own noise. If a map is zero at ``x`` but not nearby, the ratio is infinite;
    therefore the norm of the map counts as at least a hundredth of the largest norm nearby. This bounds the score by
    about 100, whatever the unit of the attribution. A map that is zero everywhere scores 0.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: random numbers of each sample.
        around: the random inputs around ``x``.
    """
    return relative_changes(explain, x, attribution, rng, around).amax(0)
