"""Shapley value sampling: the gain of logit by each patch, averaged over random orders in which patches are added."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.per_side import part_of_side
from ..toolkit.ranges import Count
from ..toolkit.rng import SampleRng
from .shared.patches import keep, logit, spread
from .shared.segments import Segmentation, has_superpixels, on_segments


@method(
    source="Castro et al. 2009, doi:10.1016/j.cor.2008.04.004; patches as players", verify=has_superpixels
)
def shapley_sampling(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    rng: SampleRng,
    *,
    draws: Count = 8,
    patch: Count = part_of_side(7),
    baseline: float = 0.0,
    segments: Segmentation = "grid",
) -> Tensor:
    """Mean gain of the target's logit when a patch is added to those before it in a random order, shaped like ``x``.

    In logits; the gain of a patch is shared equally by its pixels and channels. In every order the gains of all patches
    sum to ``f(x) - f(baseline)``, and so do the attributions. It costs ``draws`` times one forward pass less than there
    are patches, and two more.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        rng: random numbers of each sample.
        draws: number of random orders of the patches, for each input its own.
        patch: side of a patch, in pixels; patches at the edge may be smaller. Of a vector, its number of features.
        baseline: value of a removed pixel, in units of ``x``.
        segments: what is removed as a whole: the patches of a ``grid``; or superpixels of each image, about as many, by
            ``slic`` of scikit-image. They are evaluated image by image.
    """

    def fit(x: Tensor, target: Tensor, rng: SampleRng, numbers: Tensor) -> Tensor:
        players = int(numbers.max()) + 1
        intact, empty = logit(model, x, target), logit(model, torch.full_like(x, baseline), target)
        gains = x.new_zeros(len(x), players)
        for _ in range(draws):
            order, before = rng.permutation(x, players), empty
            present = torch.zeros(len(x), players, dtype=torch.bool, device=x.device)
            for place, joins in enumerate(order.split(1, dim=1), start=1):
                present = present.scatter(1, joins, value=True)
                last = place == players
                after = intact if last else logit(model, keep(x, present, numbers, baseline), target)
                gains = gains.scatter_add(1, joins, (after - before)[:, None])
                before = after
        return spread(gains / draws, numbers, x)

    return on_segments(fit, x, target, rng, segments, patch)
