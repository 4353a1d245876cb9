"""What class activation maps have in common: the layer that they read, its maps, and resampling to pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ...errors import XaiboardError
from ...toolkit.executed import Calls, follow
from ...toolkit.ranges import AddedLater
from .graph import functions_between
from .layer_outputs import LayerOutputs
from .layers import unfollowed
from .tokens import grid_of, size_inside

Layer = Annotated[str, AddedLater()]
"""A module's dotted name; empty for the last convolution that is executed with a map above 1 x 1."""

Reshape = Annotated[str, AddedLater()]
"""How tokens lie in the image: ``auto``, or rows and columns such as ``14x14``; empty for feature maps."""


@torch.enable_grad()
def features_and_gradients(
    model: nn.Module, x: Tensor, target: Tensor, layer: str = "", reshape: str = ""
) -> tuple[Tensor, Tensor]:
    """A layer's outputs, and the gradient of the target's logit there, ``(B, K, H', W')`` each.

    Args:
        model: the network; it is run once.
        x: images.
        target: explained classes, ``(B,)``.
        layer: dotted name of the layer; empty for the last convolution that is executed with a map above 1 x 1. Of a
            layer that is called several times, the last call counts.
        reshape: how the layer's tokens lie in the image; see :mod:`.tokens`.

    Raises:
        XaiboardError: there is no such layer, its outputs are no maps, or the logits do not depend on these.
    """
    if reason := unfollowed(model):
        raise XaiboardError(reason)
    outputs, image = LayerOutputs(model, layer), x.detach().requires_grad_()
    with follow(model, left=outputs.left), Calls(outputs.called):
        logit = model(image).gather(1, target[:, None]).sum()
    outputs.forget_all_but(set(functions_between(image, logit)))
    name, features = outputs.name(), outputs.last()
    if features is None and not layer:  # what was kept instead is of a later convolution, of another head
        return features_and_gradients(model, x, target, name, reshape)
    gradients = None if features is None else torch.autograd.grad(logit, features, allow_unused=True)[0]
    if features is None or gradients is None or len(features) != len(x):
        raise XaiboardError(
            f"the output of layer '{name}' is not one map an image that the logits depend on; give layer="
            f" {outputs.candidates}"
        )
    if x.dim() != 4:
        raise XaiboardError(
            f"class activation maps are of images (B, C, H, W), and x has shape {tuple(x.shape)}"
        )
    grid = grid_of(features, size_inside(model, x), name, reshape)
    if max(grid.rows, grid.columns) == 1:
        raise XaiboardError(f"the map of layer '{name}' has 1 x 1 pixels; give layer= {outputs.candidates}")
    of_patches = grid.map_of(gradients)
    if of_patches.numel() < gradients.numel() and gradients.any() and not of_patches.any():
        raise XaiboardError(
            f"of the tokens of layer '{name}' the logits read those in front of the patches alone; give layer= an"
            " earlier one"
        )
    return grid.map_of(features.detach()), of_patches


def finds_a_map(model: nn.Module, x: Tensor, target: Tensor, settings: Mapping[str, Any]) -> None:
    """Reads the map of one image.

    Raises:
        XaiboardError: there is none to read.
    """
    features_and_gradients(model, x, target, settings["layer"], settings["reshape"])


def gradcam_map(features: Tensor, gradients: Tensor) -> Tensor:
    """Rectified sum of the features, weighted by their mean gradient, ``(B, 1, H', W')``."""
    return (gradients.mean((2, 3), keepdim=True) * features).sum(1, keepdim=True).relu()


def on_pixels(coarse: Tensor, x: Tensor) -> Tensor:
    """The map ``(B, 1, H', W')`` resampled bilinearly to the size of ``x``, and shared equally by its channels."""
    fine = interpolate(coarse.detach(), size=x.shape[2:], mode="bilinear", align_corners=False)
    return fine.expand_as(x) / x.shape[1]
