"""Integrated gradients: the mean gradient on the path from a baseline, times the displacement."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.ranges import Count
from .shared.baselines import undefined_on_baseline


@method(source="Sundararajan et al. 2017, arXiv:1703.01365, eq. 1", verify=undefined_on_baseline)
def integrated_gradients(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    *,
    steps: Count = 32,
    baseline: float = 0.0,
    abs: bool = False,
) -> Tensor:
    """Mean gradient on the straight path from a constant baseline, times the displacement, in logits.

    Shaped like ``x``. The attributions of one input sum to ``f(x) - f(baseline)``, up to the error of the
    Gauss-Legendre quadrature.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        steps: number of points of the quadrature; each costs a forward and a backward pass.
        baseline: value of every element of the baseline, in units of ``x``.
        abs: whether to return magnitudes in place of signed attributions.
    """
    integrate = captum.attr.IntegratedGradients(model).attribute
    # one point of all paths at a time: the memory of one batch, not of ``steps`` batches
    attribution = integrate(x, baseline, target, n_steps=steps, internal_batch_size=len(x)).detach()
    return attribution.abs() if abs else attribution
