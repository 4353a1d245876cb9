"""Grad-CAM: the last feature maps, weighted by the explained logit's mean gradient."""

from typing import cast

import captum.attr
from torch import Tensor, nn

from ..components.decorators import method
from .shared.cam import last_convolution, on_pixels, without_convolution


@method(source="Selvaraju et al. 2017, arXiv:1610.02391, eq. 1-2", applies=without_convolution)
def gradcam(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Rectified sum of the last convolution's outputs, weighted by their mean gradient, ``(B, C, H, W)``.

    The layer is the last ``Conv2d`` in the order of ``model.modules()``; its outputs are read before any activation or
    normalisation that follows. The map has the resolution of these outputs and is resampled bilinearly to that of
    ``x``. It has one value for each pixel, which the channels share equally, so the sum over channels is the map. It is
    never negative, and zero where no feature speaks for the target.

    Args:
        model: classifier with a convolution, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
    """
    coarse = captum.attr.LayerGradCam(model, last_convolution(model)).attribute(
        x.detach().requires_grad_(), target, relu_attributions=True
    )
    return on_pixels(cast(Tensor, coarse), x)
