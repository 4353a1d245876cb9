"""What class activation maps have in common: the layer that they read, its maps, and resampling to pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ...errors import XaiboardError
from ...toolkit.executed import Calls, first_tensor, follow
from ...toolkit.ranges import AddedLater
from .layers import unfollowed
from .tokens import as_map

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
        XaiboardError: there is no such layer, or its outputs are no maps.
    """
    if reason := unfollowed(model):
        raise XaiboardError(reason)
    reader = _Reader(model, layer)
    with follow(model, left=reader.left), Calls(reader.called):
        logit = model(x.detach().requires_grad_()).gather(1, target[:, None]).sum()
    features = reader.features()
    gradients = torch.autograd.grad(logit, features, allow_unused=True)[0] if features.requires_grad else None
    if gradients is None or len(features) != len(x):
        raise XaiboardError(
            f"the output of layer '{reader.name}' is not one map an image that the logits depend on; give layer="
            f" {reader.candidates}"
        )
    if features.dim() != 4 or reshape:
        features, gradients = (as_map(each, x, reader.name, reshape) for each in (features, gradients))
    if max(features.shape[2:]) == 1:
        raise XaiboardError(
            f"the map of layer '{reader.name}' has 1 x 1 pixels; give layer= {reader.candidates}"
        )
    return features.detach(), gradients


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


class _Reader:
    """Keeps the output of one layer while the network runs, and sees what other layers would do."""

    def __init__(self, model: nn.Module, layer: str) -> None:
        self.names = {module: name for name, module in model.named_modules()}
        self.wanted = next((module for module, name in self.names.items() if layer and name == layer), None)
        self.given, self.name = layer, layer
        self.kept: Tensor | None = None
        self.maps: list[str] = []
        """Names of executed layers whose outputs are maps above 1 x 1."""
        self.convolutions = 0
        self.functional = False
        """Whether the last convolution with a map was called as a function, by no ``nn.Conv2d``."""
        self.tokens = ""
        """Name of a layer that works on tokens, after the last convolution."""

    def called(self, func: Callable[..., Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:  # noqa: ANN401
        """Sees convolutions that no layer makes."""
        result = func(*args, **settings)
        if getattr(func, "__name__", "") == "conv2d" and _is_map(result):
            self.functional = True
        return result

    def left(self, module: nn.Module, output: object) -> Tensor | None:
        """Keeps the output of the layer that is wanted; the rest of the network goes on with a copy."""
        found, name = first_tensor(output), self.names[module]
        if found is None:
            return None
        if _is_map(found) and name:
            self.maps.append(name)
        if self.given:
            here = module is self.wanted
        else:
            here = isinstance(module, nn.Conv2d) and _is_map(found)
            self.convolutions += isinstance(module, nn.Conv2d)
            self.tokens = "" if here else self.tokens or (name if _works_on_tokens(module, found) else "")
        if not here:
            return None
        self.kept, self.name, self.functional = found, name, False
        return found.clone() if isinstance(output, Tensor) else None  # the next layer may change it in place

    def features(self) -> Tensor:
        """What was kept.

        Raises:
            XaiboardError: nothing was, or something that is no late feature map.
        """
        if self.given:
            if self.kept is None:
                what = "is not executed" if self.wanted else "does not exist"
                raise XaiboardError(f"layer '{self.given}' {what}; give layer= {self.candidates}")
            return self.kept
        if self.tokens:
            raise XaiboardError(
                f"layer '{self.tokens}' works on tokens, so that no convolution gives a late feature map; give layer="
                " the dotted name of a late layer, and reshape=auto or rows x columns, such as reshape=14x14"
            )
        if self.functional:
            raise XaiboardError(
                "the last convolution is called as a function, by no nn.Conv2d;"
                f" give layer= {self.candidates}"
            )
        if self.kept is None:
            if not self.convolutions:
                raise XaiboardError("the model has no convolution")
            raise XaiboardError(f"no convolution has a map above 1 x 1 pixels; give layer= {self.candidates}")
        return self.kept

    @property
    def candidates(self) -> str:
        """Names of the last layers that would do, in words."""
        last = list(dict.fromkeys(reversed(self.maps)))[:3]
        return f"one with a larger map, such as {', '.join(last)}" if last else "another one"


def _is_map(output: object) -> bool:
    return isinstance(output, Tensor) and output.dim() == 4 and max(output.shape[2:]) > 1


def _works_on_tokens(module: nn.Module, output: Tensor) -> bool:
    """Whether it has weights, and gives several vectors an image, ``(B, N, D)`` or ``(B, H, W, D)``."""
    own = len(list(module.parameters(recurse=False)))
    weights = own > 0 or isinstance(module, (nn.Linear, nn.MultiheadAttention))
    wide = output.dim() == 3 or (output.dim() == 4 and isinstance(module, nn.Linear))
    return weights and wide and output.numel() > len(output) * output.shape[-1]
