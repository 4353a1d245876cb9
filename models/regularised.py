"""Unconstrained networks whose training penalises weights, input gradients or changes of attributions."""

from __future__ import annotations

from torch import nn

from .architectures import cnn, half_huber_cnn
from .training.objectives import ig_norm, ig_sum_norm, l1, lipschitz_penalty
from .training.recipe import Recipe
from .training.trained import trained

CONCISE = "Chalasani et al. 2020, arXiv:1810.06583; trained here, models/regularised.py"
PENALTY = "Woods et al. 2019, arXiv:1906.02896; trained here, models/regularised.py"
RAR = "Chen et al. 2019, arXiv:1905.09957, fewer steps; trained here, models/regularised.py"
IMAGES_SHOWN, MIN_EPOCHS = 40_000, 4
"""Fewer than for ordinary training, because a step costs as much as twelve to twenty ordinary ones."""


@trained("cnn.l1", family="regularised", source=CONCISE, recipe=Recipe(l1, {"weight": 2e-4}, min_epochs=10))
def cnn_l1(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, L1 penalty on the weights."""
    return cnn(shape, classes)


@trained(
    "cnn.lipschitz_penalty",
    family="regularised",
    source=PENALTY,
    recipe=Recipe(lipschitz_penalty, {"target": 1.5}, min_epochs=10),
)
def cnn_lipschitz_penalty(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network with half-Huber activations, random penalty on the input gradient of one logit."""
    return half_huber_cnn(shape, classes)


@trained(
    "cnn.lipschitz_penalty_at",
    family="regularised",
    source=PENALTY,
    recipe=Recipe(lipschitz_penalty, {"target": 1.5, "attacked": 0.5, "eps": 0.1, "steps": 7}, min_epochs=10),
)
def cnn_lipschitz_penalty_at(shape: tuple[int, ...], classes: int) -> nn.Module:
    """As cnn.lipschitz_penalty, trained with half of the images attacked."""
    return half_huber_cnn(shape, classes)


@trained(
    "cnn.ig_norm",
    family="regularised",
    source=RAR,
    recipe=Recipe(ig_norm, {"eps": 0.1}, images_shown=IMAGES_SHOWN, min_epochs=MIN_EPOCHS),
)
def cnn_ig_norm(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, penalty on the integrated gradients of the loss from an image to an attacked one."""
    return cnn(shape, classes)


@trained(
    "cnn.ig_sum_norm",
    family="regularised",
    source=RAR,
    recipe=Recipe(ig_sum_norm, {"eps": 0.1}, images_shown=IMAGES_SHOWN, min_epochs=MIN_EPOCHS),
)
def cnn_ig_sum_norm(shape: tuple[int, ...], classes: int) -> nn.Module:
    """As cnn.ig_norm, with the cross-entropy taken at the attacked image."""
    return cnn(shape, classes)
