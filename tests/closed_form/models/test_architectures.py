"""Architectures: shapes of the logits; 1-Lipschitz networks have the same parameters as the plain ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from xaiboard.models.architectures import cnn, lipcnn, lipmlp, mlp

Build = Callable[[tuple[int, ...], int], nn.Sequential]

SHAPES = [(1, 28, 28), (3, 32, 32), (1, 29, 34)]


@pytest.mark.parametrize("build", [mlp, cnn, lipmlp, lipcnn])
@pytest.mark.parametrize("shape", SHAPES)
def test_images_to_logits(build: Build, shape: tuple[int, ...]) -> None:
    assert build(shape, 7)(torch.rand(3, *shape)).shape == (3, 7)


@pytest.mark.parametrize(("plain", "lipschitz"), [(mlp, lipmlp), (cnn, lipcnn)])
@pytest.mark.parametrize("shape", SHAPES)
def test_1_lipschitz_networks_have_the_parameters_and_inner_sizes_of_the_plain_ones(
    plain: Build, lipschitz: Build, shape: tuple[int, ...]
) -> None:
    first, second = plain(shape, 10), lipschitz(shape, 10)
    assert {name: p.shape for name, p in first.named_parameters()} == {
        name: p.shape for name, p in second.named_parameters()
    }
    x = y = torch.rand(2, *shape)
    for one, other in zip(first, second, strict=True):
        x, y = one(x), other(y)
        assert x.shape == y.shape


@pytest.mark.parametrize("build", [mlp, cnn, lipmlp, lipcnn])
def test_only_plain_linear_layers_have_parameters(build: Build) -> None:
    with_parameters = {type(layer) for layer in build((1, 28, 28), 10) if list(layer.parameters())}
    assert with_parameters <= {nn.Linear, nn.Conv2d}
