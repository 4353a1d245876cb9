"""Layer-CAM: the last feature maps, with each value weighted by its own positive gradient."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.cam import Layer, Reshape, features_and_gradients, finds_a_map, on_pixels


@method(source="Jiang et al. 2021, doi:10.1109/TIP.2021.3089943, eq. 6-8", verify=finds_a_map)
def layercam(
    model: nn.Module, x: Tensor, target: Tensor, *, layer: Layer = "", reshape: Reshape = ""
) -> Tensor:
    """Rectified sum of the last convolution's outputs times their positive gradients, ``(B, C, H, W)``.

    Layer, resolution and channels are as in Grad-CAM. It costs one forward and one backward pass.

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
    return on_pixels((gradients.relu() * features).sum(1, keepdim=True).relu(), x)
