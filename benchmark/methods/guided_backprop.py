"""Guided backpropagation: the gradient without the paths on which it is negative at a ReLU."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.relu import finds_relus, gradient_by_rule, guided


@method(source="Springenberg et al. 2015, arXiv:1412.6806, sec. 3.4", verify=finds_relus)
def guided_backprop(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Guided backpropagation gradient of the target's logit, shaped like ``x``.

    On the way back, every ReLU that was active passes on only positive gradients; it may be a layer or a call of a
    function. The gradient of other activations is unchanged. It costs one forward and one backward pass.

    Args:
        model: classifier with ReLUs, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.

    Raises:
        XaiboardError: the model executes no ReLU, or something that may be a ReLU without saying so.
    """
    return gradient_by_rule(model, x, target, guided)
