"""Guided Grad-CAM: guided backpropagation times Grad-CAM."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..components.decorators import method
from .shared.cam import Layer, Reshape, features_and_gradients, finds_a_map, gradcam_map
from .shared.relu import finds_relus, gradient_by_rule, guided


def finds_both(model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
    """Explains one image by both factors.

    Raises:
        XaiboardError: one of them does not apply to the model.
    """
    finds_a_map(model, x, target, settings)
    finds_relus(model, x, target, settings)


@method(source="Selvaraju et al. 2017, arXiv:1610.02391, sec. 3.2", verify=finds_both)
def guided_gradcam(
    model: nn.Module, x: Tensor, target: Tensor, *, layer: Layer = "", reshape: Reshape = ""
) -> Tensor:
    """Product of guided backpropagation and the bilinearly resampled Grad-CAM map, ``(B, C, H, W)``, signed.

    Every channel is multiplied by the whole Grad-CAM map. It costs two forward and two backward passes.

    Args:
        model: classifier with a convolution and ReLUs, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
        layer: dotted name of the layer to read; empty for the last convolution that is executed with a map above 1 x 1.
        reshape: how the tokens of a transformer's layer lie in the image: auto, or rows and columns such as 14x14.

    Raises:
        XaiboardError: the layer has no map; the message names layers that have one.
    """
    features, gradients = features_and_gradients(model, x, target, layer, reshape)
    cam = interpolate(
        gradcam_map(features, gradients), size=x.shape[2:], mode="bilinear", align_corners=False
    )
    return gradient_by_rule(model, x, target, guided) * cam
