"""Expected gradients: integrated gradients averaged over training images as baselines."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.data import Reference
from ..toolkit.ranges import Count, NotNegative
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
    draws: Count = 32,
    sigma: NotNegative = 0.0,
) -> Tensor:
    """Mean gradient at random points between background images and ``x``, times the displacement, in logits.

    Shaped like ``x``. Each draw picks a background image, and a point that is uniform on the line from it to ``x``. In
    expectation the attributions of one input sum to ``f(x)`` minus the mean of ``f`` over the background images. Random
    numbers are drawn for each sample, where captum's class draws them from the global stream. It costs ``draws``
    forward and backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        reference: statistics of the training set; its background images are the baselines.
        draws: number of points for each input.
        sigma: standard deviation of Gaussian noise on ``x``, in units of ``x``.

    Raises:
        XaiboardError: the background images are not known.
    """
    images, total = background("gradient_shap", x, reference), torch.zeros_like(x)
    for _ in range(draws):
        baseline = images[rng.permutation(x, len(images))[:, 0]]
        way = (x + rng.normal(x, sigma) if sigma else x) - baseline
        share = rng.uniform(x.flatten(1)[:, 0]).view(-1, *(1,) * (x.dim() - 1))
        total += gradient(model, baseline + share * way, target) * way
    return total / draws
