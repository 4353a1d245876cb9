"""Unconstrained networks, trained on the images as they are."""

from __future__ import annotations

from torch import nn

from .architectures import cnn, mlp
from .training.objectives import natural
from .training.recipe import Recipe
from .training.trained import trained

SOURCE = "cross-entropy; trained here, models/standard.py"


@trained("mlp.standard", family="standard", source=SOURCE, recipe=Recipe(natural))
def mlp_standard(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Dense network, cross-entropy."""
    return mlp(shape, classes)


@trained("cnn.standard", family="standard", source=SOURCE, recipe=Recipe(natural))
def cnn_standard(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, cross-entropy."""
    return cnn(shape, classes)
