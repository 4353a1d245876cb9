"""Expected gradients: integrated gradients averaged over training images as baselines."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least
from ..toolkit.data import Reference
from ..toolkit.rng import SampleRng
from .shared.background import background
from .shared.gradient import gradient


@method(source="Erion et al. 2021, arXiv:1906.10670, eq. 3; Lundberg & Lee 2017, arXiv:1705.07874")
def gradient_shap(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    draws: int = 32,
    sigma: float = 0.0,
) -> Tensor:
    """Mean gradient at random points between background images and ``x``, times the displacement, in logits.

    Each draw takes a background image, and a point between it and ``x``, uniformly; the sum over one input is
    ``f(x)`` less the mean of ``f`` over the background, in expectation. captum's class draws from the global
    stream, here each sample has its own. Costs ``draws`` forward and backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        reference: statistics of the training set; its background images are the baselines.
        draws: points for each input.
        sigma: standard deviation of Gaussian noise on ``x``, in units of ``x``.

    Raises:
        XaiboardError: ``draws`` is smaller than 1, ``sigma`` than 0, or the background images are not known.
    """
    at_least(1, "gradient_shap", draws=draws)
    at_least(0, "gradient_shap", sigma=sigma)
    images, total = background("gradient_shap", x, reference), torch.zeros_like(x)
    for _ in range(draws):
        baseline = images[rng.permutation(x, len(images))[:, 0]]
        way = (x + rng.normal(x, sigma) if sigma else x) - baseline
        share = rng.uniform(x.flatten(1)[:, 0]).view(-1, *(1,) * (x.dim() - 1))
        total += gradient(model, baseline + share * way, target) * way
    return total / draws
