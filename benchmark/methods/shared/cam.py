"""What class activation maps have in common: the layer that they read, and resampling to pixels."""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ...errors import XaiboardError


def last_convolution(model: nn.Module) -> nn.Conv2d:
    """The last ``Conv2d`` in the order of ``model.modules()``.

    Raises:
        XaiboardError: there is none; the suite leaves such models out beforehand.
    """
    if reason := without_convolution(model):
        raise XaiboardError(f"class activation maps need a 'Conv2d', and {reason}; leave them out")
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)][-1]


def without_convolution(model: nn.Module) -> str | None:
    """Why the model has no feature map to read, or None."""
    if any(isinstance(module, nn.Conv2d) for module in model.modules()):
        return None
    return "the model has no convolution"


def features_and_gradients(model: nn.Module, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The last convolution's outputs, and the gradient of the target's logit there, ``(B, K, H', W')`` each."""
    kept: list[Tensor] = []

    def keep(_layer: nn.Module, _given: object, out: Tensor) -> Tensor:
        kept.append(out)
        return out.clone()  # the next layer may change it in place

    handle = last_convolution(model).register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logit = model(x.detach().requires_grad_()).gather(1, target[:, None]).sum()
    finally:
        handle.remove()
    gradients = torch.autograd.grad(logit, kept[-1])[0]
    return kept[-1].detach(), gradients


def on_pixels(coarse: Tensor, x: Tensor) -> Tensor:
    """The map ``(B, 1, H', W')`` resampled bilinearly to the size of ``x``, and shared equally by its channels."""
    fine = interpolate(coarse.detach(), size=x.shape[2:], mode="bilinear", align_corners=False)
    return fine.expand_as(x) / x.shape[1]
