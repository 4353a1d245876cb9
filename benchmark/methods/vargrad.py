"""VarGrad: the variance of the gradient over noisy copies of the input."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least
from ..toolkit.rng import SampleRng
from .smoothgrad import noisy_gradients


@method(source="Adebayo et al. 2018, arXiv:1810.03307; Hooker et al. 2019, arXiv:1806.10758, sec. 4.1")
def vargrad(
    model: nn.Module, x: Tensor, target: Tensor, rng: SampleRng, *, draws: int = 25, sigma: float = 0.15
) -> Tensor:
    """Variance of the gradient of the target's logit at ``x`` plus Gaussian noise, shaped like ``x``; never negative.

    The mean square about the mean: on the same noise, SmoothGrad squared is VarGrad plus the square of
    SmoothGrad. Zero where the model is linear. Costs ``draws`` forward and backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: noisy copies of each input.
        sigma: standard deviation of the noise, in units of ``x``.

    Raises:
        XaiboardError: ``draws`` is smaller than 2, or ``sigma`` than 0.
    """
    at_least(2, "vargrad", draws=draws)
    at_least(0, "vargrad", sigma=sigma)
    mean, total = torch.zeros_like(x), torch.zeros_like(x)
    # about the running mean: the difference of two sums would cancel where the variance is small
    for number, gradient in enumerate(noisy_gradients(model, x, target, rng, draws, sigma), start=1):
        change = gradient - mean
        mean += change / number
        total += change * (gradient - mean)
    return total / draws
