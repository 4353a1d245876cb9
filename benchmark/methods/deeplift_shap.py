"""DeepLIFT-SHAP: DeepLIFT averaged over training images as baselines."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.data import Reference
from ..toolkit.ranges import Count
from ..toolkit.rng import SampleRng
from .shared.background import background
from .shared.rescale_rule import adds_up, contributions


@method(source="Lundberg & Lee 2017, arXiv:1705.07874, sec. 4.2", verify=adds_up)
def deeplift_shap(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    reference: Reference | None,
    *,
    draws: Count = 16,
) -> Tensor:
    """Mean DeepLIFT contributions with background images as baselines, in logits, shaped like ``x``.

    The attributions of one input sum to ``f(x)`` minus the mean of ``f`` over its background images. These are drawn
    without replacement. With as many draws as there are background images the result is that of captum, which takes all
    of them. It costs ``2 draws`` forward and backward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        reference: statistics of the training set; its background images are the baselines.
        draws: number of baselines for each input; no more than there are background images.

    Raises:
        XaiboardError: the background images are not known, or DeepLIFT does not add up on this model.
    """
    images = background("deeplift_shap", x, reference)
    chosen = rng.permutation(x, len(images))[:, :draws]
    total = torch.zeros_like(x)
    for number in chosen.T:
        total += contributions(model, x, images[number], target)
    return total / chosen.shape[1]
