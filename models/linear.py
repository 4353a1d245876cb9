"""Networks of one layer, for which theorems on concise explanations hold exactly."""

from __future__ import annotations

from torch import nn

from .architectures import linear
from .training.objectives import adversarial_linf, ig_norm, l1, natural
from .training.recipe import Recipe
from .training.trained import trained

SOURCE = "Chalasani et al. 2020, arXiv:1810.06583; trained here, models/linear.py"
ATTACK = {"eps": 0.1, "step": 0.1, "steps": 3}
"""Settings of the attack: for two classes, on the cross-entropy, it reaches the worst corner of the ball always."""


@trained("linear.standard", family="standard", source=SOURCE, recipe=Recipe(natural))
def linear_standard(shape: tuple[int, ...], classes: int) -> nn.Module:
    """One linear layer, trained with the cross-entropy."""
    return linear(shape, classes)


@trained("linear.pgd_linf", family="adversarial", source=SOURCE, recipe=Recipe(adversarial_linf, ATTACK))
def linear_pgd_linf(shape: tuple[int, ...], classes: int) -> nn.Module:
    """One linear layer, trained on PGD examples in the L-inf ball of radius 0.1."""
    return linear(shape, classes)


@trained("linear.l1", family="regularised", source=SOURCE, recipe=Recipe(l1, {"weight": 2e-3}))
def linear_l1(shape: tuple[int, ...], classes: int) -> nn.Module:
    """One linear layer, trained with an L1 penalty on the weights."""
    return linear(shape, classes)


@trained(
    "linear.stable_ig",
    family="regularised",
    source=SOURCE,
    recipe=Recipe(ig_norm, {**ATTACK, "points": 10, "attack_points": 3, "weight": 1.0}),
)
def linear_stable_ig(shape: tuple[int, ...], classes: int) -> nn.Module:
    """One linear layer, trained to have stable integrated gradients.

    For two classes the worst case of this objective equals that of linear.pgd_linf (Chalasani et al. 2020, theorem on
    stable IG). The attack does not always find it: the norm that it climbs has maxima in several corners of the ball.
    """
    return linear(shape, classes)
