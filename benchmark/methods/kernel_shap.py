"""KernelSHAP: Shapley values of patches as the additive model that fits the logits of coalitions best."""

from collections.abc import Iterator
from math import comb

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.checks import at_least
from ..toolkit.rng import SampleRng
from .shared.patches import keep, logit, patch_numbers, spread


@method(source="Lundberg & Lee 2017, arXiv:1705.07874, th. 2; Covert & Lee 2021, arXiv:2012.01536, sec. 3")
def kernel_shap(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: int = 256,
    patch: int = 4,
    baseline: float = 0.0,
) -> Tensor:
    """Least-squares Shapley values of patches, shared by their pixels and channels, shaped like ``x``, in logits.

    Coalitions are drawn by the Shapley kernel, each with its complement, and the fit is made to sum to
    ``f(x) - f(baseline)`` exactly. Where there are no more coalitions than ``draws``, all are taken with their
    weights, and the values are the exact Shapley values. Fewer draws than patches leave the fit open, and the
    values nearest to equal shares are taken. captum's class draws from the global stream, and adds a weight of a
    million in place of the constraint. Costs ``draws`` forward passes, and two more.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: coalitions of each input; an odd number is rounded up.
        patch: side of a patch in pixels, those at the edge may be smaller; of a vector, its number of features.
        baseline: value that an absent pixel takes, in units of ``x``.

    Raises:
        XaiboardError: ``draws`` or ``patch`` is smaller than 1.
    """
    at_least(1, "kernel_shap", draws=draws, patch=patch)
    numbers = patch_numbers(x, patch)
    players = int(numbers.max()) + 1
    empty = logit(model, torch.full_like(x, baseline), target).double()
    change = (logit(model, x, target).double() - empty)[:, None]
    squares = torch.zeros(len(x), players, players, dtype=torch.float64, device=x.device)
    products = torch.zeros(len(x), players, dtype=torch.float64, device=x.device)
    for present, weight in _coalitions(x, rng, players, draws):
        gain = logit(model, keep(x, present, numbers, baseline), target).double() - empty
        # Equal shares meet the constraint; what is fitted beyond them sums to 0, so the design is centred.
        there = present.double()
        share = there.mean(1, keepdim=True)
        design = there - share
        squares += weight * design[:, :, None] * design[:, None, :]
        products += weight * design * (gain[:, None] - share * change)
    beyond = torch.linalg.pinv(squares, rtol=1e-10, hermitian=True) @ products[:, :, None]
    return spread(change / players + beyond[:, :, 0], numbers, x)


def _coalitions(x: Tensor, rng: SampleRng, players: int, draws: int) -> Iterator[tuple[Tensor, float]]:
    """Who is present, bool ``(B, P)``, and the weight: all coalitions if they are few, else random ones."""
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
