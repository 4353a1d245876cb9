"""Grad-CAM: the last feature maps, weighted by the explained logit's mean gradient."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.cam import Layer, Reshape, features_and_gradients, finds_a_map, gradcam_map, on_pixels


@method(source="Selvaraju et al. 2017, arXiv:1610.02391, eq. 1-2", verify=finds_a_map)
def gradcam(
    model: nn.Module, x: Tensor, target: Tensor, *, layer: Layer = "", reshape: Reshape = ""
) -> Tensor:
    """Rectified sum of the last convolution's outputs, weighted by their mean gradient, ``(B, C, H, W)``.

    The layer is the last ``Conv2d`` that is executed with an output of more than one pixel, unless ``layer`` names
    another one; a transformer also needs ``reshape``. Outputs are read before any activation or normalisation that
    follows. The map has their resolution and is resampled bilinearly to that of ``x``. It has one value for each pixel,
    which the channels share equally, so the sum over channels is the map. It is never negative, and zero where no
    feature speaks for the target.

    Args:
        model: classifier, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
        layer: dotted name of the layer to read; empty for the last convolution that is executed with a map above 1 x 1.
        reshape: how the tokens of a transformer's layer lie in the image: auto, or rows and columns such as 14x14.

    Raises:
        XaiboardError: the layer has no map; the message names layers that have one.
    """
    features, gradients = features_and_gradients(model, x, target, layer, reshape)
    return on_pixels(gradcam_map(features, gradients), x)
