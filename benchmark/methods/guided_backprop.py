"""Guided backpropagation: the gradient, less every path on which it is negative at a ReLU."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from .shared.traceless import traceless


def without_relu(model: nn.Module) -> str | None:
    """The reason why changing the gradient at ReLUs changes nothing, or None."""
    if any(isinstance(module, nn.ReLU) for module in model.modules()):
        return None
    return "the model has no nn.ReLU, so that the result would be the plain gradient"


@method(source="Springenberg et al. 2015, arXiv:1412.6806, sec. 3.4", applies=without_relu)
def guided_backprop(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of the target's logit, of which each ``nn.ReLU`` passes only the positive part on, like ``x``.

    What other activations, or a ReLU that is called as a function, do to the gradient is unchanged. Costs one
    forward and one backward pass.

    Args:
        model: classifier with ``nn.ReLU``, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
    """
    with traceless(model):
        return captum.attr.GuidedBackprop(model).attribute(x.detach().requires_grad_(), target).detach()
