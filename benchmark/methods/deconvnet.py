"""Deconvolutional network: the gradient of which every ReLU passes on only positive values."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.relu import deconvolved, finds_relus, gradient_by_rule


@method(source="Zeiler & Fergus 2014, arXiv:1311.2901, sec. 2.1", verify=finds_relus)
def deconvnet(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Deconvnet gradient of the target's logit, shaped like ``x``.

    On the way back, every ReLU passes on only positive gradients, whether or not it was active; it may be a layer or a
    call of a function. Guided backpropagation also requires that it was active. It costs one forward and one backward
    pass.

    Args:
        model: classifier with ReLUs, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.

    Raises:
        XaiboardError: the model executes no ReLU, or something that may be a ReLU without saying so.
    """
    return gradient_by_rule(model, x, target, deconvolved)
