"""Networks trained on attacked images."""

from __future__ import annotations

from torch import nn

from ..benchmark.registry import model
from .architectures import cnn
from .objectives import adversarial_linf
from .training import Recipe


@model(
    name="cnn.pgd_linf",
    family="adversarial",
    weights="weights/cnn.pgd_linf@{dataset}.safetensors",
    source="Madry et al. 2018, arXiv:1706.06083; trained here, models/adversarial.py",
    recipe=Recipe(adversarial_linf, {"eps": 0.1, "step": 0.025, "steps": 7}),
)
def cnn_pgd_linf(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Convolutional network, trained on PGD examples in the L-inf ball of radius 0.1."""
    return cnn(shape, classes)
