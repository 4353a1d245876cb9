"""SmoothGrad squared: the mean square of the gradient over noisy copies of the input."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.ranges import Count, NotNegative
from ..toolkit.rng import SampleRng
from .shared.noisy_gradients import noisy_gradients


@method(source="Hooker et al. 2019, arXiv:1806.10758, sec. 4.1")
def smoothgrad_squared(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: Count = 25,
    sigma: NotNegative = 0.15,
) -> Tensor:
    """Mean squared gradient of the target's logit at ``x`` plus Gaussian noise, shaped like ``x``; never negative.

    Noisy inputs are not clipped. It costs ``draws`` forward and backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: number of noisy copies of each input.
        sigma: standard deviation of the noise, in units of ``x``.
    """
    total = torch.zeros_like(x)
    for gradient in noisy_gradients(model, x, target, rng, draws, sigma):
        total += gradient.square()
    return total / draws
