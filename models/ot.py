"""1-Lipschitz networks trained with the optimal-transport loss hKR, and with other losses for comparison."""

from __future__ import annotations

from torch import nn

from .architectures import lipcnn, lipmlp
from .training.objectives import tempered, transport, transport_binary, transport_one_vs_all
from .training.recipe import Recipe
from .training.trained import trained

SOFT = "Serrurier et al. 2023, arXiv:2206.06854; trained here, models/ot.py"
HKR = "Serrurier et al. 2021, arXiv:2006.06520; trained here, models/ot.py"
TEMPERED = "Bethune et al. 2022, arXiv:2104.05097; trained here, models/ot.py"

RECIPE = Recipe(transport, {"alpha": 0.98, "min_margin": 1.0, "temperature": 10.0}, constrained=True)
ONE_VS_ALL = Recipe(transport_one_vs_all, {"alpha": 0.98, "min_margin": 1.0}, constrained=True)


@trained("lipmlp.hkr", family="ot", source=SOFT, lipschitz=1.0, recipe=RECIPE)
def lipmlp_hkr(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz dense network, hKR loss."""
    return lipmlp(shape, classes)


@trained("lipmlp.hkr_one_vs_all", family="ot", source=HKR, lipschitz=1.0, recipe=ONE_VS_ALL)
def lipmlp_hkr_one_vs_all(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz dense network, hKR loss of each class against the others."""
    return lipmlp(shape, classes)


@trained(
    "lipmlp.hkr_binary",
    family="ot",
    source=HKR,
    lipschitz=1.0,
    recipe=Recipe(transport_binary, {"alpha": 0.98, "min_margin": 1.0}, constrained=True),
)
def lipmlp_hkr_binary(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz dense network for two classes, binary hKR loss."""
    return lipmlp(shape, classes)


@trained("lipcnn.hkr", family="ot", source=SOFT, lipschitz=1.0, recipe=RECIPE)
def lipcnn_hkr(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz convolutional network, hKR loss."""
    return lipcnn(shape, classes)


@trained(
    "lipcnn.hkr_accurate",
    family="ot",
    source=SOFT,
    lipschitz=1.0,
    recipe=Recipe(transport, {"alpha": 0.995, "min_margin": 0.2, "temperature": 10.0}, constrained=True),
)
def lipcnn_hkr_accurate(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz convolutional network, hKR loss with a small margin: more accurate, less robust."""
    return lipcnn(shape, classes)


@trained(
    "lipcnn.hkr_robust",
    family="ot",
    source=SOFT,
    lipschitz=1.0,
    recipe=Recipe(transport, {"alpha": 0.9, "min_margin": 3.0, "temperature": 10.0}, constrained=True),
)
def lipcnn_hkr_robust(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz convolutional network, hKR loss with a large margin: less accurate, more robust."""
    return lipcnn(shape, classes)


@trained("lipcnn.hkr_one_vs_all", family="ot", source=HKR, lipschitz=1.0, recipe=ONE_VS_ALL)
def lipcnn_hkr_one_vs_all(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz convolutional network, hKR loss of each class against the others."""
    return lipcnn(shape, classes)


@trained(
    "lipcnn.ce",
    family="ot_ablation",
    source=TEMPERED,
    lipschitz=1.0,
    recipe=Recipe(tempered, {"temperature": 10.0}, constrained=True),
)
def lipcnn_ce(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz convolutional network, cross-entropy: the constraint without the transport loss."""
    return lipcnn(shape, classes)


@trained(
    "lipcnn.hinge",
    family="ot_ablation",
    source=HKR,
    lipschitz=1.0,
    recipe=Recipe(transport, {"alpha": 1.0, "min_margin": 1.0, "temperature": 10.0}, constrained=True),
)
def lipcnn_hinge(shape: tuple[int, ...], classes: int) -> nn.Module:
    """1-Lipschitz convolutional network, the hinge of the hKR loss alone: a margin without the transport term."""
    return lipcnn(shape, classes)
