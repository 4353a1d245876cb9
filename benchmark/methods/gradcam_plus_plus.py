"""Grad-CAM++: the last feature maps, weighted by their positive gradients, with a coefficient for each place."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.cam import Layer, Reshape, features_and_gradients, finds_a_map, on_pixels


@method(source="Chattopadhyay et al. 2018, arXiv:1710.11063, eq. 5 and 19", verify=finds_a_map)
def gradcam_plus_plus(
    model: nn.Module, x: Tensor, target: Tensor, *, layer: Layer = "", reshape: Reshape = ""
) -> Tensor:
    """Rectified sum of the last convolution's outputs, weighted by coefficients of their gradients, ``(B, C, H, W)``.

    As in the paper, the class score is the exponential of the logit. The coefficient of a gradient g is then
    ``1 / (2 + S g)``, where S is the sum of the feature map. Here S is the sum of its positive values only: the paper's
    feature maps have passed a ReLU, and with negative values the denominator could vanish. Layer, resolution and
    channels are as in Grad-CAM. It costs one forward and one backward pass.

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
    positive, total = gradients.relu(), features.relu().sum((2, 3), keepdim=True)
    weights = (positive / (2 + total * positive)).sum((2, 3), keepdim=True)
    return on_pixels((weights * features).sum(1, keepdim=True).relu(), x)
