"""DeepLIFT: the change of the logit from a baseline, distributed over the inputs by how much they change."""

import torch
from torch import Tensor, nn

from ..components.decorators import method
from .shared.rescale_rule import adds_up, contributions


@method(source="Shrikumar et al. 2017, arXiv:1704.02685, rescale rule", verify=adds_up)
def deeplift(model: nn.Module, x: Tensor, target: Tensor, *, baseline: float = 0.0) -> Tensor:
    """Rescale-rule contributions to the target's logit, in logits, shaped like ``x``.

    The attributions of one input sum to ``f(x) - f(baseline)``. They are computed like the gradient, but in place of
    its slope an activation contributes the ratio of its change to the change of its input. It costs two forward and two
    backward passes, as input and baseline go through together. The sum is checked, which costs nothing more.

    Args:
        model: classifier, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
        baseline: value of every element of the baseline, in units of ``x``.

    Raises:
        XaiboardError: the contributions do not sum to the change of the logit, or a layer has no rule.
    """
    return contributions(model, x, torch.full_like(x, baseline), target)
