"""Unconstrained networks, trained on the images as they are."""

from __future__ import annotations

from torch import nn

from ..benchmark.registry import model
from .architectures import cnn, mlp
from .objectives import natural
from .training import Recipe

SOURCE = "cross-entropy; trained here, models/standard.py"


@model(
    name="mlp.standard",
    family="standard",
    weights="weights/mlp.standard@{dataset}.safetensors",
    source=SOURCE,
    recipe=Recipe(natural),
)
def mlp_standard(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Dense network, cross-entropy."""
    return mlp(shape, classes)


@model(
    name="cnn.standard",
    family="standard",
    weights="weights/cnn.standard@{dataset}.safetensors",
    source=SOURCE,
    recipe=Recipe(natural),
)
def cnn_standard(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, cross-entropy."""
    return cnn(shape, classes)
