"""VarGrad: the variance of the gradient over noisy copies of the input."""

from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.ranges import NotNegative
from ..toolkit.rng import SampleRng
from .shared.noisy_gradients import noisy_gradients


@method(source="Adebayo et al. 2018, arXiv:1810.03307; Hooker et al. 2019, arXiv:1806.10758, sec. 4.1")
def vargrad(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: Annotated[int, Ge(2)] = 25,
    sigma: NotNegative = 0.15,
) -> Tensor:
    """Variance of the gradient of the target's logit at ``x`` plus Gaussian noise, shaped like ``x``; never negative.

    It is the mean square of the differences from the mean: on the same noise, SmoothGrad squared is VarGrad plus the
    square of SmoothGrad. It is zero where the model is linear. It costs ``draws`` forward and backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: number of noisy copies of each input.
        sigma: standard deviation of the noise, in units of ``x``.
    """
    mean, total = torch.zeros_like(x), torch.zeros_like(x)
    # around the running mean, since the difference of two sums would lose precision where the variance is small
    for number, gradient in enumerate(noisy_gradients(model, x, target, rng, draws, sigma), start=1):
        change = gradient - mean
        mean += change / number
        total += change * (gradient - mean)
    return total / draws
