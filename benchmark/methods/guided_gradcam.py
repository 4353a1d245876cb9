"""Guided Grad-CAM: guided backpropagation times Grad-CAM."""

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from .shared.cam import last_convolution, without_convolution
from .shared.relu import without_relu
from .shared.traceless import traceless


def without_either(model: nn.Module) -> str | None:
    """Why one of the two factors does not apply to the model, or None."""
    return without_convolution(model) or without_relu(model)


@method(source="Selvaraju et al. 2017, arXiv:1610.02391, sec. 3.2", applies=without_either)
def guided_gradcam(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Product of guided backpropagation and the bilinearly resampled Grad-CAM map, ``(B, C, H, W)``, signed.

    Every channel is multiplied by the whole Grad-CAM map. It costs two forward and two backward passes.

    Args:
        model: classifier with a convolution and ``nn.ReLU``, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
    """
    explain = captum.attr.GuidedGradCam(model, last_convolution(model)).attribute
    with traceless(model):
        return explain(x.detach().requires_grad_(), target, interpolate_mode="bilinear").detach()
