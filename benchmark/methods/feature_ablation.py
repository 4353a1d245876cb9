"""Feature ablation: the drop of the explained logit when one patch is removed."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from ..toolkit.per_side import part_of_side
from ..toolkit.ranges import Count
from .shared.patches import keep, logit, patch_numbers, spread


@method(source="Zeiler & Fergus 2014, arXiv:1311.2901, sec. 4.2, with patches that do not overlap")
def feature_ablation(
    model: nn.Module, x: Tensor, target: Tensor, *, patch: Count = part_of_side(7), baseline: float = 0.0
) -> Tensor:
    """Drop of the target's logit when a patch is removed, shared equally by its pixels and channels, shaped like ``x``.

    The attributions of a patch sum to its drop, in logits; in occlusion, every pixel gets the whole drop. It costs one
    forward pass for each patch, and one more.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        patch: side of a patch, in pixels; patches at the edge may be smaller. Of a vector, its number of features.
        baseline: value of a removed pixel, in units of ``x``.
    """
    numbers = patch_numbers(x, patch)
    intact, drops = logit(model, x, target), []
    for alone in torch.eye(int(numbers.max()) + 1, dtype=torch.bool, device=x.device):
        removed = keep(x, ~alone.expand(len(x), -1), numbers, baseline)
        drops.append(intact - logit(model, removed, target))
    return spread(torch.stack(drops, 1), numbers, x)
