"""Networks trained on attacked images."""

from __future__ import annotations

from torch import nn

from .architectures import cnn
from .training.objectives import adversarial_l2, adversarial_linf, trades
from .training.recipe import Recipe
from .training.trained import trained

MADRY = "Madry et al. 2018, arXiv:1706.06083; trained here, models/adversarial.py"
TRADES = "Zhang et al. 2019, arXiv:1901.08573; trained here, models/adversarial.py"
MIN_EPOCHS = 10
"""Fewer than for ordinary training, because a step costs as much as eight ordinary ones."""


@trained(
    "cnn.pgd_linf",
    family="adversarial",
    source=MADRY,
    recipe=Recipe(adversarial_linf, {"eps": 0.1, "step": 0.025, "steps": 7}, min_epochs=MIN_EPOCHS),
)
def cnn_pgd_linf(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, trained on PGD examples in the L-inf ball of radius 0.1."""
    return cnn(shape, classes)


@trained(
    "cnn.pgd_linf_small",
    family="adversarial",
    source=MADRY,
    recipe=Recipe(adversarial_linf, {"eps": 0.05, "step": 0.0125, "steps": 7}, min_epochs=MIN_EPOCHS),
)
def cnn_pgd_linf_small(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, trained on PGD examples in the L-inf ball of radius 0.05, half that of cnn.pgd_linf."""
    return cnn(shape, classes)


@trained(
    "cnn.pgd_linf_large",
    family="adversarial",
    source=MADRY,
    recipe=Recipe(adversarial_linf, {"eps": 0.15, "step": 0.0375, "steps": 7}, min_epochs=MIN_EPOCHS),
)
def cnn_pgd_linf_large(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, trained on PGD examples in the L-inf ball of radius 0.15 (0.2 fails with some seeds)."""
    return cnn(shape, classes)


@trained(
    "cnn.pgd_l2",
    family="adversarial",
    source=MADRY,
    recipe=Recipe(adversarial_l2, {"eps": 1.0, "step": 0.25, "steps": 7}, min_epochs=MIN_EPOCHS),
)
def cnn_pgd_l2(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, trained on PGD examples in the L2 ball of radius 1."""
    return cnn(shape, classes)


@trained(
    "cnn.trades",
    family="adversarial",
    source=TRADES,
    recipe=Recipe(trades, {"eps": 0.1, "step": 0.025, "steps": 7, "beta": 6.0}, min_epochs=MIN_EPOCHS),
)
def cnn_trades(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, trained with TRADES in the L-inf ball of radius 0.1."""
    return cnn(shape, classes)
