"""LIME: a linear model of patches, fitted to the logits of images from which random patches are removed."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.per_side import part_of_side, sized
from ..toolkit.ranges import Count, Positive
from ..toolkit.rng import SampleRng
from .shared.patches import keep, logit, spread
from .shared.segments import DRAWS, Segmentation, has_superpixels, on_segments


@method(
    source="Ribeiro et al. 2016, arXiv:1602.04938, eq. 2; kernel and ridge of the released code for images",
    verify=has_superpixels,
)
def lime(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: Count = DRAWS,
    patch: Count = part_of_side(7),
    width: Positive = 0.25,
    ridge: Positive = 1.0,
    baseline: float = 0.0,
    segments: Segmentation = "grid",
) -> Tensor:
    """Coefficients of patches in a weighted ridge regression of the logit, shared equally by their pixels and channels.

    Shaped like ``x``, in logits. Each draw keeps every patch with probability 1/2. Its weight is ``exp(-d^2 /
    width^2)``, where d is the cosine distance of the vector of kept patches from that of all patches, as in the paper's
    eq. 2; the released code takes the root of this. The intercept is not penalised. Patches replace the paper's
    superpixels, and the logit its probability. captum's class draws from the global stream. It costs ``draws`` forward
    passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: number of subsets of patches for each input.
        patch: side of a patch, in pixels; patches at the edge may be smaller. Of a vector, its number of features.
        width: width of the kernel, in cosine distances.
        ridge: penalty on the squared coefficients, relative to the sum over the draws of weighted squared errors.
        baseline: value of a removed pixel, in units of ``x``.
        segments: what is removed as a whole: the patches of a ``grid``; or superpixels of each image, about as many, by
            ``slic`` of scikit-image. They are evaluated image by image.
    """
    draws = sized(draws, x, patch=patch)

    def fit(x: Tensor, target: Tensor, rng: SampleRng, numbers: Tensor) -> Tensor:
        players = int(numbers.max()) + 1
        penalty = torch.full((players + 1,), ridge, dtype=torch.float64, device=x.device)
        penalty[0] = 0  # the intercept is not penalised
        squares = penalty.diag().repeat(len(x), 1, 1)
        products = torch.zeros(len(x), players + 1, dtype=torch.float64, device=x.device)
        for _ in range(draws):
            present = rng.sign(x.new_zeros(len(x), players)) > 0
            value = logit(model, keep(x, present, numbers, baseline), target).double()
            distance = 1 - present.double().mean(1).sqrt()
            design = torch.cat([torch.ones_like(value)[:, None], present.double()], 1)
            weighted = (-((distance / width) ** 2)).exp()[:, None] * design
            squares += weighted[:, :, None] * design[:, None, :]
            products += weighted * value[:, None]
        return spread(torch.linalg.solve(squares, products)[:, 1:], numbers, x)

    return on_segments(fit, x, target, rng, segments, patch)
