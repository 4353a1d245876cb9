"""Deconvolutional network: the gradient of which every ReLU passes on only positive values."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from .shared.relu import without_relu
from .shared.traceless import traceless


@method(source="Zeiler & Fergus 2014, arXiv:1311.2901, sec. 2.1", applies=without_relu)
def deconvnet(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Deconvnet gradient of the target's logit, shaped like ``x``.

    On the way back, every ``nn.ReLU`` passes on only positive gradients, whether or not it was active. Guided
    backpropagation also requires that it was. It costs one forward and one backward pass.

    Args:
        model: classifier with ``nn.ReLU``, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
    """
    with traceless(model):
        return captum.attr.Deconvolution(model).attribute(x.detach().requires_grad_(), target).detach()
