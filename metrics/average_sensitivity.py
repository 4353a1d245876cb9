"""Average sensitivity: the mean relative change of the map in a small neighbourhood."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import LARGEST_CHANGE, Around, Explain, relative_changes


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    range=(0, LARGEST_CHANGE),
    source="Yeh et al. 2019, arXiv:1901.09392; Bhatt et al. 2020, arXiv:2005.00631, with a mean for the maximum",
)
def average_sensitivity(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    around: Around = Around(),
) -> Tensor:
    """Monte Carlo mean of ``|e(x + d) - e(x)| / |e(x)|`` over ``|d|_inf <= radius``, ``(B,)``; lower is better.

    As ``max_sensitivity``, with the mean in place of the maximum. Inputs are not clamped to ``[0, 1]``. A stochastic
    method draws the same random numbers at every call. The norm of a map counts as at least a hundredth of the largest
    norm nearby, which bounds the score by about 100. A map that is zero everywhere scores 0.

    Args:
        explain: the attribution of any input, by the same method for the same target.
        x: inputs, ``(B, C, H, W)`` or ``(B, F)``.
        attribution: ``explain(x)``.
        rng: random numbers of each sample.
        around: the random inputs around ``x``.
    """
    return relative_changes(explain, x, attribution, rng, around).mean(0)
