"""Integrated gradients: the gradient averaged on the way from a baseline, times the way."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least


@method(source="Sundararajan et al. 2017, arXiv:1703.01365, eq. 1")
def integrated_gradients(
    model: nn.Module, x: Tensor, target: Tensor, *, steps: int = 32, baseline: float = 0.0, abs: bool = False
) -> Tensor:
    """Mean gradient on the straight path from a constant baseline, times the displacement, in logits.

    The attributions of one input sum to ``f(x) - f(baseline)`` up to the error of the Gauss-Legendre
    quadrature.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        steps: points of the quadrature.
        baseline: value that every element of the baseline takes, in units of ``x``.
        abs: the magnitude instead of the signed attribution.

    Raises:
        XaiboardError: ``steps`` is smaller than 1.
    """
    at_least(1, "integrated_gradients", steps=steps)
    integrate = captum.attr.IntegratedGradients(model).attribute
    # One point of all paths at a time: memory is that of the batch, not ``steps`` times it.
    attribution = integrate(x, baseline, target, n_steps=steps, internal_batch_size=len(x)).detach()
    return attribution.abs() if abs else attribution
