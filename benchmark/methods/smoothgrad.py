"""SmoothGrad: the gradient averaged over noisy copies of the input."""

from collections.abc import Iterator

import captum.attr
import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least
from ..toolkit.rng import SampleRng


@method(source="Smilkov et al. 2017, arXiv:1706.03825")
def smoothgrad(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: int = 25,
    sigma: float = 0.15,
    abs: bool = False,
) -> Tensor:
    """Mean gradient of the target's logit at ``x`` plus Gaussian noise, shaped like ``x``.

    Noisy inputs are not clipped to ``[0, 1]``: clipped noise is biased wherever ``x`` is near black or white.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: noisy copies of each input.
        sigma: standard deviation of the noise, in units of ``x``.
        abs: the magnitude of the mean gradient instead of its signed value.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, or ``sigma`` than 0.
    """
    at_least(1, "smoothgrad", draws=draws)
    at_least(0, "smoothgrad", sigma=sigma)
    total = torch.zeros_like(x)
    for gradient in noisy_gradients(model, x, target, rng, draws, sigma):
        total += gradient
    attribution = total / draws
    return attribution.abs() if abs else attribution


def noisy_gradients(
    model: nn.Module, x: Tensor, target: Tensor, rng: SampleRng, draws: int, sigma: float
) -> Iterator[Tensor]:
    """Gradients of the target's logit at ``draws`` noisy copies of ``x``, each shaped like it."""
    gradient = captum.attr.Saliency(model).attribute
    # captum's NoiseTunnel draws from the global stream, so its result depends on the batch.
    for _ in range(draws):
        yield gradient((x + rng.normal(x, sigma)).requires_grad_(), target, abs=False)
