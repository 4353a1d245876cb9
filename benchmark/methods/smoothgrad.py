"""SmoothGrad: the gradient averaged over noisy copies of the input."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.ranges import Count, NotNegative
from ..toolkit.rng import SampleRng
from .shared.noisy_gradients import noisy_gradients


@method(source="Smilkov et al. 2017, arXiv:1706.03825")
def smoothgrad(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: Count = 25,
    sigma: NotNegative = 0.15,
    abs: bool = False,
) -> Tensor:
    """Mean gradient of the target's logit at ``x`` plus Gaussian noise, shaped like ``x``.

    Noisy inputs are not clipped to ``[0, 1]``: clipping would bias the noise where ``x`` is almost black or white. It
    costs ``draws`` forward and backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: number of noisy copies of each input.
        sigma: standard deviation of the noise, in units of ``x``.
        abs: whether to return the magnitude of the mean gradient in place of its signed value.
    """
    total = torch.zeros_like(x)
    for gradient in noisy_gradients(model, x, target, rng, draws, sigma):
        total += gradient
    attribution = total / draws
    return attribution.abs() if abs else attribution
