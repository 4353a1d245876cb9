"""KernelSHAP: Shapley values of patches, from a weighted least-squares fit to the logits of coalitions."""

from collections.abc import Iterator
from math import comb

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.per_side import part_of_side, sized
from ..toolkit.ranges import Count
from ..toolkit.rng import SampleRng
from .shared.patches import keep, logit, spread
from .shared.segments import DRAWS, Segmentation, has_superpixels, on_segments


@method(
    source="Lundberg & Lee 2017, arXiv:1705.07874, th. 2; Covert & Lee 2021, arXiv:2012.01536, sec. 3",
    verify=has_superpixels,
)
def kernel_shap(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: Count = DRAWS,
    patch: Count = part_of_side(7),
    baseline: float = 0.0,
    segments: Segmentation = "grid",
) -> Tensor:
    """Least-squares Shapley values of patches, shared equally by their pixels and channels, in logits, like ``x``.

    An additive model of the patches is fitted to the logits of coalitions: images of which some patches are present and
    the others removed. Coalitions are drawn by the Shapley kernel, each together with its complement. The fit is
    constrained to sum to ``f(x) - f(baseline)`` exactly. If there are no more coalitions than ``draws``, all are used
    with their weights, and the values are the exact Shapley values. With fewer draws than patches there are many best
    fits, and the one closest to equal shares is taken. captum's class draws from the global stream, and uses a weight
    of a million in place of the constraint. It costs ``draws`` forward passes, and two more.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: number of coalitions for each input; an odd number is rounded up.
        patch: side of a patch, in pixels; patches at the edge may be smaller. Of a vector, its number of features.
        baseline: value of a removed pixel, in units of ``x``.
        segments: what is removed as a whole: the patches of a ``grid``; or superpixels of each image, about as many, by
            ``slic`` of scikit-image. They are evaluated image by image.
    """
    draws = sized(draws, x, patch=patch)

    def fit(x: Tensor, target: Tensor, rng: SampleRng, numbers: Tensor) -> Tensor:
        players = int(numbers.max()) + 1
        empty = logit(model, torch.full_like(x, baseline), target).double()
        change = (logit(model, x, target).double() - empty)[:, None]
        squares = torch.zeros(len(x), players, players, dtype=torch.float64, device=x.device)
        products = torch.zeros(len(x), players, dtype=torch.float64, device=x.device)
        for present, weight in _coalitions(x, rng, players, draws):
            gain = logit(model, keep(x, present, numbers, baseline), target).double() - empty
            # equal shares meet the constraint; the fit of what remains must sum to 0, so the design is centred
            there = present.double()
            share = there.mean(1, keepdim=True)
            design = there - share
            squares += weight * design[:, :, None] * design[:, None, :]
            products += weight * design * (gain[:, None] - share * change)
        beyond = torch.linalg.pinv(squares, rtol=1e-10, hermitian=True) @ products[:, :, None]
        return spread(change / players + beyond[:, :, 0], numbers, x)

    return on_segments(fit, x, target, rng, segments, patch)


def _coalitions(x: Tensor, rng: SampleRng, players: int, draws: int) -> Iterator[tuple[Tensor, float]]:
    """Present patches, bool ``(B, P)``, and weight of each coalition: of all if they are few, else of random ones."""
    if 2**players - 2 <= draws:
        for code in range(1, 2**players - 1):
            bits = torch.tensor([bool(code >> player & 1) for player in range(players)], device=x.device)
            size = int(bits.sum())
            yield bits.expand(len(x), -1), 1 / (comb(players, size) * size * (players - size))
        return
    sizes = torch.arange(1, players, dtype=torch.float64, device=x.device)
    chance = 1 / (sizes * (players - sizes))
    bounds = (chance.cumsum(0) / chance.sum())[:-1]
    for _ in range((draws + 1) // 2):
        size = 1 + torch.bucketize(rng.uniform(x.new_zeros(len(x))).double(), bounds)
        present = rng.permutation(x, players) < size[:, None]
        yield present, 1.0
        yield ~present, 1.0
