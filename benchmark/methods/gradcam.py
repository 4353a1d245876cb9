"""Grad-CAM: the last feature maps, weighted by the explained logit's mean gradient."""

from typing import cast

import captum.attr
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..errors import XaiboardError
from ..registry import method


def _last_convolution(model: nn.Module) -> nn.Conv2d | None:
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    return convolutions[-1] if convolutions else None


def _reason_against(model: nn.Module) -> str | None:
    return None if _last_convolution(model) else "the model has no convolution"


@method(source="Selvaraju et al. 2017, arXiv:1610.02391, eq. 1-2", applies=_reason_against)
def gradcam(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    """Rectified sum of the last convolution's outputs, weighted by their mean gradient, ``(B, C, H, W)``.

    The map has the resolution of the last ``Conv2d`` in the order of ``model.modules()``, read before what
    follows it (activation, normalisation), and is resampled bilinearly. It belongs to pixels, not to channels:
    each channel gets an equal share, so that the sum over channels is the map. It is never negative, and zero
    where no feature speaks for the target.

    Args:
        model: classifier with a convolution, ``(B, C, H, W)`` to logits ``(B, K)``.
        x: images.
        target: explained classes, ``(B,)``.

    Raises:
        XaiboardError: the model has no convolution; the suite leaves such models out beforehand.
    """
    layer = _last_convolution(model)
    if layer is None:
        raise XaiboardError(
            "method 'gradcam' needs a model with a 'Conv2d', and this one has none; leave it out"
        )
    coarse = captum.attr.LayerGradCam(model, layer).attribute(
        x.detach().requires_grad_(), target, relu_attributions=True
    )
    fine = interpolate(cast(Tensor, coarse).detach(), size=x.shape[2:], mode="bilinear", align_corners=False)
    return fine.expand_as(x) / x.shape[1]
