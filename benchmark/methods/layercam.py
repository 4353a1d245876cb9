"""Layer-CAM: the last feature maps, with each value weighted by its own positive gradient."""

from torch import Tensor, nn

from ..components.decorators import method
from .shared.cam import features_and_gradients, on_pixels, without_convolution


@method(source="Jiang et al. 2021, doi:10.1109/TIP.2021.3089943, eq. 6-8", applies=without_convolution)
def layercam(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Rectified sum of the last convolution's outputs times their positive gradients, ``(B, C, H, W)``.

    Layer, resolution and channels are as in Grad-CAM. It costs one forward and one backward pass.

    Args:
        model: classifier with a convolution, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.
    """
    features, gradients = features_and_gradients(model, x, target)
    return on_pixels((gradients.relu() * features).sum(1, keepdim=True).relu(), x)
