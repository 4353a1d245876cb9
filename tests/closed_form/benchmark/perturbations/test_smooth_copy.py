"""The smooth copy of a network: what it computes, what it leaves alone, and that its gradients have gradients."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from xaiboard.benchmark.perturbations.shared.smooth_copy import SmoothReLU, smooth_copy, spread
from xaiboard.models.layers import GroupSort2, HalfHuber, L2NormPool2d

POOLS = [
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, 2, 1),
    nn.MaxPool2d((2, 3), (3, 1), (0, 1)),
    nn.MaxPool1d(3, 2),
    nn.MaxPool3d(2, padding=1),
]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def network(activation: type[nn.Module], pooling: type[nn.Module]) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        body = (
            nn.Conv2d(1, 6, 3, padding=1),
            activation(),
            pooling(2),
            nn.Flatten(),
            nn.Linear(96, 8),
            activation(),
        )
        return nn.Sequential(*body, nn.Linear(8, 3)).double().eval()


def curvature(model: nn.Module, x: Tensor) -> Tensor:
    """Gradient of the squared norm of the gradient of the first logit, shaped like ``x``."""
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(leaf)[:, 0].sum(), leaf, create_graph=True)
    return torch.autograd.grad(gradient.square().sum() + 0 * leaf.sum(), leaf)[0]


@pytest.mark.parametrize("shape", [(3, 5), (3, 2, 4, 4)])
def test_a_rectifier_is_softplus_in_units_of_the_spread(shape: tuple[int, ...]) -> None:
    z = 4 * drawn(*shape)
    for value, found, leaky in zip(
        z, smooth_copy(nn.ReLU(), 2.0)(z), smooth_copy(nn.LeakyReLU(0.1), 2.0)(z), strict=True
    ):
        unit = value.square().mean().sqrt()
        torch.testing.assert_close(found, softplus(value, 2.0 / unit.item()))
        torch.testing.assert_close(leaky, 0.1 * value + 0.9 * found)


def test_the_slope_of_a_rectifier_is_a_sigmoid() -> None:
    """The spread is a unit: it has no gradient of its own."""
    z = (3 * drawn(2, 5)).requires_grad_()
    (slope,) = torch.autograd.grad(SmoothReLU(2.0)(z).sum(), z)
    torch.testing.assert_close(slope, torch.sigmoid(2.0 * z.detach() / spread(z)))


def test_sorted_pairs_keep_their_sums_and_lie_between() -> None:
    x = drawn(4, 6, 3, 3)
    smooth, sorted_ = smooth_copy(GroupSort2(), 3.0)(x), GroupSort2()(x)
    first, second = x.unflatten(1, (3, 2)).unbind(2)
    excess = SmoothReLU(3.0)(first - second)
    torch.testing.assert_close(smooth[:, ::2], first - excess)
    torch.testing.assert_close(smooth[:, 1::2], second + excess)
    torch.testing.assert_close(smooth[:, ::2] + smooth[:, 1::2], sorted_[:, ::2] + sorted_[:, 1::2])
    assert (smooth[:, 1::2] > sorted_[:, 1::2]).all()


@pytest.mark.parametrize("layer", POOLS, ids=repr)
def test_a_pool_is_the_logarithm_of_the_sum_of_exponentials(layer: Any) -> None:  # noqa: ANN401
    """Against the sum over the window of the exponentials, which average pooling with padding gives."""
    axes = int(type(layer).__name__[-2])
    x = drawn(2, 3, *(7, 6, 5)[:axes])
    size = math.prod(layer.kernel_size) if isinstance(layer.kernel_size, tuple) else layer.kernel_size**axes
    average = getattr(nn, f"AvgPool{axes}d")(layer.kernel_size, layer.stride, layer.padding)
    found = smooth_copy(layer, 4.0)(x)
    assert found.shape == layer(x).shape
    sharpness = 4.0 / spread(x)
    torch.testing.assert_close(found, (size * average((sharpness * x).exp())).log() / sharpness)
    assert ((found - layer(x)) >= 0).all()
    assert ((found - layer(x)) <= math.log(size) / sharpness).all()


@pytest.mark.parametrize(
    "layer",
    [
        *(nn.MaxPool2d(2, ceil_mode=True), nn.MaxPool2d(2, dilation=2), nn.MaxPool2d(2, return_indices=True)),
        *(HalfHuber(), L2NormPool2d(), nn.AvgPool2d(2), nn.Tanh()),
    ],
    ids=repr,
)
def test_other_layers_stay(layer: nn.Module) -> None:
    twin = smooth_copy(nn.Sequential(layer), 5.0)
    assert isinstance(twin, nn.Sequential)
    assert type(twin[0]) is type(layer)
    assert twin[0] is not layer


@pytest.mark.parametrize("pooling", [nn.AvgPool2d, nn.MaxPool2d, L2NormPool2d])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.LeakyReLU, GroupSort2, HalfHuber])
def test_is_near_where_it_is_sharp_and_curved_everywhere(
    activation: type[nn.Module], pooling: type[nn.Module]
) -> None:
    net, x = network(activation, pooling), drawn(4, 1, 8, 8, seed=1).abs()
    x[0] = 0  # the L2 norm of a window of zeros has no slope, and a constant has no gradient to be curved
    torch.testing.assert_close(smooth_copy(net, 1e5)(x), net(x), atol=1e-3, rtol=1e-3)
    assert torch.equal(smooth_copy(net, math.inf)(x), net(x))
    bent = curvature(smooth_copy(net, 5.0), x)
    assert bent.isfinite().all()
    assert (bent[1:].abs().amax((1, 2, 3)) > 1e-6).all()


def test_a_rescaled_network_has_a_rescaled_copy() -> None:
    """An absolute sharpness would spare networks that compute small numbers."""
    net, x = network(nn.ReLU, nn.MaxPool2d), drawn(3, 1, 8, 8)
    large = network(nn.ReLU, nn.MaxPool2d)
    state = large.state_dict()
    large.load_state_dict(
        {
            key: 50 * value if key.endswith("bias") or key == "0.weight" else value
            for key, value in state.items()
        }
    )
    torch.testing.assert_close(smooth_copy(large, 5.0)(x), 50 * smooth_copy(net, 5.0)(x))


def test_a_sample_does_not_see_its_batch() -> None:
    twin, x = smooth_copy(network(GroupSort2, nn.MaxPool2d), 5.0), drawn(4, 1, 8, 8)
    x[1] *= 100
    torch.testing.assert_close(torch.cat([twin(one[None]) for one in x]), twin(x))


def test_the_network_stays_as_it_is() -> None:
    shared = nn.ReLU()
    net = nn.Sequential(nn.Linear(4, 4), shared, nn.Sequential(nn.Linear(4, 4), shared), shared)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    twin = smooth_copy(net, 5.0)
    assert not any(isinstance(module, nn.ReLU) for module in twin.modules())
    assert sum(isinstance(module, nn.ReLU) for module in net.modules()) == 1
    assert not any(parameter.requires_grad for parameter in twin.parameters())
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [0.0, 1e-30, 1e15])
def test_is_finite_at_any_size(dtype: torch.dtype, size: float) -> None:
    x = (size * drawn(2, 6, 4, 4).abs()).to(dtype).requires_grad_()
    twin = smooth_copy(nn.Sequential(nn.ReLU(), GroupSort2(), nn.MaxPool2d(2)), 5.0)
    found = twin(x)
    (gradient,) = torch.autograd.grad(found.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(gradient.sum() + 0 * x.sum(), x)
    assert all(value.isfinite().all() for value in (found, gradient, second))
