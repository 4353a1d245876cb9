"""1-Lipschitz networks, trained with the optimal-transport loss hKR."""

from __future__ import annotations

from torch import nn

from ..benchmark.registry import model
from .architectures import lipcnn, lipmlp
from .objectives import transport
from .training import Recipe

SOURCE = "Serrurier et al. 2023, arXiv:2206.06854; trained here, models/ot.py"

RECIPE = Recipe(transport, {"alpha": 0.98, "min_margin": 1.0, "temperature": 10.0}, constrained=True)


@model(
    name="lipmlp.hkr",
    family="ot",
    weights="weights/lipmlp.hkr@{dataset}.safetensors",
    source=SOURCE,
    lipschitz=1.0,
    recipe=RECIPE,
)
def lipmlp_hkr(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz dense network, hKR loss."""
    return lipmlp(shape, classes)


@model(
    name="lipcnn.hkr",
    family="ot",
    weights="weights/lipcnn.hkr@{dataset}.safetensors",
    source=SOURCE,
    lipschitz=1.0,
    recipe=RECIPE,
)
def lipcnn_hkr(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz convolutional network, hKR loss."""
    return lipcnn(shape, classes)
