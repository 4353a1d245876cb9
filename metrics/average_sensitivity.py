"""Average sensitivity: the mean relative change of the map in a small neighbourhood."""

from torch import Tensor

from ..benchmark.components.decorators import metric
from ..benchmark.toolkit.rng import SampleRng
from .shared.neighbours import Explain, relative_changes


@metric(
    family="stability",
    higher_is_better=False,
    across_models=True,
    source="Yeh et al. 2019, arXiv:1901.09392; Bhatt et al. 2020, arXiv:2005.00631, with a mean for the maximum",
)
def average_sensitivity(
    explain: Explain,
    x: Tensor,
    attribution: Tensor,
    rng: SampleRng,
    *,
    radius: float = 0.02,
    draws: int = 10,
) -> Tensor:
    """Monte Carlo mean of ``|e(x + d) - e(x)| / |e(x)|`` over ``|d|_inf <= radius``, ``(B,)``; lower is better.

    Everything but the mean is as in ``max_sensitivity``: inputs are not clamped, a stochastic method draws the same
    random numbers at every call, and the norm of a map counts as at least a hundredth of the largest norm nearby,
    which bounds the score by about 100. An always vanishing map scores 0.

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
    changes = relative_changes(
        "average_sensitivity", explain, x, attribution, rng, radius=radius, draws=draws
    )
    return changes.mean(0)
