"""Integrated gradients: the mean gradient on the path from a baseline, times the displacement."""

from functools import reduce

import torch
from numpy.polynomial.legendre import leggauss
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.ranges import Count
from .shared.baselines import undefined_on_baseline
from .shared.gradient import gradient


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
    displacement, (places, weights) = x - baseline, leggauss(steps)  # on [-1, 1], whose length is 2
    shares = torch.tensor(weights / 2, dtype=torch.float32, device=x.device)
    # one point of all paths at a time: the memory of one batch, not of ``steps`` batches
    terms = (
        gradient(model, baseline + (1 + place) / 2 * displacement, target) * share * displacement
        for place, share in zip(places.tolist(), shares, strict=True)
    )
    attribution = reduce(torch.add, terms)
    return attribution.abs() if abs else attribution
