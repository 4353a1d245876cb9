"""Average pooling from slices against torch's layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from xaiboard.models.architectures import cnn
from xaiboard.models.training.pooling import SlicedAvgPool2d, sliced_pooling

SIZES = [(2, (3, 4, 6, 8)), (2, (1, 2, 7, 5)), (3, (2, 1, 9, 10)), ((1, 2), (2, 3, 5, 6))]


def with_gradients(pool: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    """Values, gradient of a nonlinear function of them, and the gradient of that gradient's norm."""
    leaf = x.clone().requires_grad_()
    pooled = pool(leaf)
    (gradient,) = torch.autograd.grad(pooled.pow(3).sum(), leaf, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), leaf)
    return pooled, gradient, second


@pytest.mark.parametrize(("size", "shape"), SIZES)
def test_values_gradients_and_double_gradients_are_torch_s(
    size: int | tuple[int, int], shape: tuple[int, ...]
) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    model = nn.Sequential(nn.AvgPool2d(size))
    expected = with_gradients(model, x)
    with sliced_pooling(model):
        assert isinstance(model[0], SlicedAvgPool2d)
        assert_close(with_gradients(model, x), expected)


def test_the_network_is_the_plain_one_again_even_after_an_error() -> None:
    model = nn.ModuleDict({"body": cnn((1, 28, 28), 10)})
    layers = list(model.modules())
    names = [name for name, _ in model.named_parameters()]
    with pytest.raises(KeyboardInterrupt), sliced_pooling(model):
        assert not any(isinstance(layer, nn.AvgPool2d) for layer in model.modules())
        assert [name for name, _ in model.named_parameters()] == names
        raise KeyboardInterrupt
    assert list(model.modules()) == layers


@pytest.mark.parametrize(
    "layer",
    [
        nn.AvgPool2d(3, stride=2),
        nn.AvgPool2d(2, padding=1),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(2, divisor_override=3),
        nn.MaxPool2d(2),
    ],
    ids=str,
)
def test_other_pooling_is_left_alone(layer: nn.Module) -> None:
    model = nn.Sequential(layer)
    with sliced_pooling(model):
        assert model[0] is layer
