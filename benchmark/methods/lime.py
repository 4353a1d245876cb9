"""LIME: the linear model of patches that fits the logit best where most of them are there."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least, positive
from ..toolkit.rng import SampleRng
from .shared.patches import keep, logit, patch_numbers, spread


@method(
    source="Ribeiro et al. 2016, arXiv:1602.04938, eq. 2; kernel and ridge of the released code for images"
)
def lime(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: int = 256,
    patch: int = 4,
    width: float = 0.25,
    ridge: float = 1.0,
    baseline: float = 0.0,
) -> Tensor:
    """Coefficients of patches in a weighted ridge regression of the logit, shared by their pixels and channels.

    Shaped like ``x``, in logits. Each draw keeps every patch with probability 1/2; its weight is
    ``exp(-d^2 / width^2)``, d the cosine distance of the kept patches from all, as in the paper's eq. 2 (the
    released code takes the root of it). The intercept is not penalised. Patches stand for the paper's
    superpixels, and the logit for its probability. captum's class draws from the global stream. Costs ``draws``
    forward passes.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: subsets of patches for each input.
        patch: side of a patch in pixels, those at the edge may be smaller; of a vector, its number of features.
        width: of the kernel, in cosine distances.
        ridge: penalty on the squared coefficients, beside a sum of weighted squared errors over the draws.
        baseline: value that an absent pixel takes, in units of ``x``.

    Raises:
        XaiboardError: ``draws`` or ``patch`` is smaller than 1, or ``width`` or ``ridge`` is not positive.
    """
    at_least(1, "lime", draws=draws, patch=patch)
    positive("lime", width=width, ridge=ridge)
    numbers = patch_numbers(x, patch)
    players = int(numbers.max()) + 1
    penalty = torch.full((players + 1,), ridge, dtype=torch.float64, device=x.device)
    penalty[0] = 0  # of the intercept
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
