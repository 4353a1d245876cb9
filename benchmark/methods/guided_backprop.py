"""Guided backpropagation: the gradient without the paths on which it is negative at a ReLU."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from .shared.relu import without_relu
from .shared.traceless import traceless


@method(source="Springenberg et al. 2015, arXiv:1412.6806, sec. 3.4", applies=without_relu)
def guided_backprop(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Guided backpropagation gradient of the target's logit, shaped like ``x``.

    On the way back, every ``nn.ReLU`` that was active passes on only positive gradients. The gradient of other
    activations, and of a ReLU that is called as a function, is unchanged. It costs one forward and one backward pass.

    Args:
        model: classifier with ``nn.ReLU``, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
    """
    with traceless(model):
        return captum.attr.GuidedBackprop(model).attribute(x.detach().requires_grad_(), target).detach()
