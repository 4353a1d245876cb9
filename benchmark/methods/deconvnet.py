"""Deconvolutional network: the gradient that flows back through ReLUs by its own sign alone."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from .guided_backprop import without_relu
from .shared.traceless import traceless


@method(source="Zeiler & Fergus 2014, arXiv:1311.2901, sec. 2.1", applies=without_relu)
def deconvnet(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Gradient of the target's logit, of which each ``nn.ReLU`` passes the positive part on, open or not, like ``x``.

    Otherwise as guided backpropagation, which also stops the gradient where the ReLU was closed. Costs one
    forward and one backward pass.

    Args:
        model: classifier with ``nn.ReLU``, ``(B, C, H, W)`` or ``(B, F)`` to logits ``(B, K)``.
        x: inputs.
        target: explained classes, ``(B,)``.
    """
    with traceless(model):
        return captum.attr.Deconvolution(model).attribute(x.detach().requires_grad_(), target).detach()
