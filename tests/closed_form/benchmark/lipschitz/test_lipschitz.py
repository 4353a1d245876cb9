"""Norms of layers against dense matrices; slopes, certificates and the audit against closed forms and attacks."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.lipschitz.bounds import (
    audit,
    certified_radius,
    local_lipschitz,
    upper_bound,
)
from xaiboard.benchmark.lipschitz.layer_norms import layer_norm

Size = int | tuple[int, int]


class Half(nn.Module):
    lipschitz = 0.5

    def forward(self, x: Tensor) -> Tensor:
        return x / 2


class Doubling(nn.Linear):
    """A subclass that computes something else than its base."""

    def forward(self, input: Tensor) -> Tensor:
        return 2 * super().forward(input)


@pytest.fixture(autouse=True)
def seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def dense_norm(layer: nn.Module, shape: tuple[int, ...]) -> float:
    """Norm of the whole matrix of a linear layer, one column for each input value."""
    size = math.prod(shape)
    basis = torch.eye(size, dtype=torch.float64).view(size, *shape)
    layer = layer.double()
    with torch.no_grad():
        columns = (layer(basis) - layer(torch.zeros_like(basis))).flatten(1)
    return float(torch.linalg.svdvals(columns)[0])


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU()),
        nn.Linear(16, 5),
    ).eval()


@pytest.mark.parametrize(
    ("stride", "padding"), [(1, 0), (1, 1), (1, 2), (1, 7), (1, "same"), (2, 0), (2, 1), ((1, 3), 2)]
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize(("size", "dilation", "groups"), [(3, 1, 1), (2, 1, 2), ((1, 3), 2, 1), (5, 1, 1)])
def test_convolution_bound_is_never_below_the_exact_norm(
    stride: Size, padding: int | str, size: Size, dilation: int, groups: int
) -> None:
    layer = nn.Conv2d(2, 4, size, stride, padding, dilation, groups)
    exact = dense_norm(layer, (2, 6, 7))
    assert layer_norm(layer, (2, 6, 7)) >= exact - 1e-9


@pytest.mark.parametrize(
    ("channels", "size", "slack"), [((1, 4), 8, 1.08), ((3, 4), 8, 1.08), ((2, 3), 20, 1.02)]
)
def test_convolution_bound_is_tight(channels: tuple[int, int], size: int, slack: float) -> None:
    layer = nn.Conv2d(channels[0], channels[1], 3, padding=1)
    shape = (channels[0], size, size)
    assert layer_norm(layer, shape) <= slack * dense_norm(layer, shape)


def test_a_convolution_that_shifts_has_norm_one() -> None:
    layer = nn.Conv2d(1, 1, 3, padding=1)
    layer.weight.data = torch.zeros(1, 1, 3, 3)
    layer.weight.data[0, 0, 0, 2] = 1
    assert layer_norm(layer, (1, 9, 9)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(7, 5), (7,)),
        (nn.AvgPool2d(2), (2, 6, 6)),
        (nn.AvgPool2d((2, 3)), (2, 6, 6)),
        (nn.AvgPool2d(4), (1, 6, 6)),
        (nn.Identity(), (1, 3, 3)),
        (nn.Flatten(), (1, 3, 3)),
        (nn.Dropout(0.5).eval(), (5,)),
        (Half(), (5,)),
    ],
)
def test_linear_layers_are_exact(layer: nn.Module, shape: tuple[int, ...]) -> None:
    assert layer_norm(layer, shape) == pytest.approx(dense_norm(layer, shape), rel=1e-9)


def test_normalisation_in_eval_mode_is_a_diagonal_matrix() -> None:
    layer = nn.BatchNorm2d(3)
    layer(torch.randn(16, 3, 4, 4) * torch.tensor([0.1, 1, 10]).view(1, 3, 1, 1))
    layer.weight.data = torch.tensor([0.5, -2.0, 1.0])
    assert layer_norm(layer.eval(), (3, 4, 4)) == pytest.approx(dense_norm(layer, (3, 4, 4)), rel=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        nn.AvgPool2d(3, stride=1),
        nn.AvgPool2d(2, padding=1),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(2, divisor_override=1),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular"),
        nn.BatchNorm2d(1, track_running_stats=False).eval(),
        nn.LayerNorm(4),
        Doubling(4, 4),
        nn.TransformerEncoderLayer(4, 1),
    ],
)
def test_a_layer_without_a_known_bound_is_named(layer: nn.Module) -> None:
    with pytest.raises(XaiboardError, match=f"layer '{type(layer).__name__}' has no known Lipschitz bound"):
        upper_bound(nn.Sequential(layer), (1, 4, 4))


@pytest.mark.parametrize("layer", [nn.Dropout(), nn.BatchNorm1d(4)])
def test_training_mode_is_refused(layer: nn.Module) -> None:
    with pytest.raises(XaiboardError, match=r"training mode; call model.eval\(\)"):
        upper_bound(layer.train(), (4,))


def test_bound_of_a_network_is_the_product_of_its_layers() -> None:
    model = network()
    dense = model[3]
    assert isinstance(dense, nn.Sequential)
    sizes = [(1, 8, 8), (4, 8, 8), (4, 8, 8), (64,), (16,)]
    parts = [model[0], model[1], model[2], dense[1], model[4]]
    product = math.prod(layer_norm(layer, size) for layer, size in zip(parts, sizes, strict=True))
    assert upper_bound(model, (1, 8, 8)) == pytest.approx(product)


def test_slope_of_a_linear_network_is_its_spectral_norm() -> None:
    head = nn.Linear(12, 4)
    model = nn.Sequential(nn.Flatten(), head)
    expected = torch.linalg.matrix_norm(head.weight, 2).expand(300)
    assert torch.allclose(local_lipschitz(model, torch.rand(300, 3, 2, 2)), expected)


def test_slope_against_the_jacobian_of_autograd() -> None:
    model, x = network(), torch.rand(3, 1, 8, 8)
    for image, slope in zip(x, local_lipschitz(model, x), strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda x: model(x[None])[0], image)
        assert isinstance(jacobian, Tensor)
        assert slope == pytest.approx(torch.linalg.matrix_norm(jacobian.view(5, -1), 2).item(), rel=1e-5)


def test_slope_leaves_parameters_and_input_alone() -> None:
    model, x = network(), torch.rand(3, 1, 8, 8)
    with torch.no_grad():
        slope = local_lipschitz(model, x)
    assert not slope.requires_grad
    assert not x.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def test_certificate_of_a_linear_network_is_the_distance_to_the_nearest_boundary() -> None:
    head, x = nn.Linear(12, 4), torch.rand(6, 3, 2, 2)
    model = nn.Sequential(nn.Flatten(), head)
    weight, bias = head.weight.detach(), head.bias.detach()
    radius = certified_radius(model, model(x).detach(), (3, 2, 2))
    for image, certified in zip(x.flatten(1), radius, strict=True):
        values = [float(row @ image + offset) for row, offset in zip(weight, bias, strict=True)]
        top = max(range(4), key=values.__getitem__)
        distances = [
            (values[top] - values[j]) / float((weight[top] - weight[j]).norm()) for j in range(4) if j != top
        ]
        assert certified == pytest.approx(min(distances), rel=1e-4)


def test_certificate_uses_the_head_and_beats_the_general_formula() -> None:
    model, x = network(), torch.rand(8, 1, 8, 8)
    logits = model(x).detach()
    best = logits.topk(2).values
    general = (best[:, 0] - best[:, 1]) / (math.sqrt(2) * upper_bound(model, (1, 8, 8)))
    assert (certified_radius(model, logits, (1, 8, 8)) >= general).all()


def test_a_tie_has_radius_zero() -> None:
    head = nn.Linear(3, 4)
    head.weight.data[1] = head.weight.data[0]
    logits = torch.tensor([[2.0, 2.0, 0.0, 0.0]])
    assert certified_radius(nn.Sequential(head), logits, (3,)).tolist() == [0]


def test_certificates_are_never_beaten_by_gradient_descent() -> None:
    """Attacks that end just inside the certified ball; each starts from the worst point found so far."""
    model, x = network(), torch.rand(32, 1, 8, 8)
    logits = model(x).detach()
    label, radius = logits.argmax(1), certified_radius(model, logits, (1, 8, 8))
    change = torch.randn_like(x)
    for _ in range(100):
        change = change * (0.9999 * radius / change.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)
        point = (x + change).requires_grad_()
        output = model(point)
        assert (output.argmax(1) == label).all()
        (gradient,) = torch.autograd.grad(cross_entropy(output, label, reduction="sum"), point)
        direction = gradient / gradient.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
        change = change + 0.3 * radius.view(-1, 1, 1, 1) * direction


def test_certificate_needs_a_linear_head() -> None:
    with pytest.raises(XaiboardError, match="ends in a Linear layer; this one ends in 'ReLU'"):
        certified_radius(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), torch.rand(2, 4), (3,))


def test_audit_passes_orthogonal_layers_and_fails_larger_ones() -> None:
    first, second = nn.Linear(16, 8), nn.Linear(8, 4)
    model = nn.Sequential(nn.Flatten(), first, second)
    for layer in (first, second):
        nn.init.orthogonal_(layer.weight)
    x = torch.rand(5, 1, 4, 4)
    assert audit(model, x).passes
    first.weight.data *= 3
    found = audit(model, x)
    assert not found.passes
    assert found.upper == pytest.approx(3, rel=1e-5)
    assert found.lower <= found.upper + 1e-4


def test_audit_fails_a_layer_that_claims_too_little() -> None:
    class Liar(Half):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * x

    found = audit(nn.Sequential(nn.Flatten(), Liar()), torch.rand(5, 4))
    assert not found.passes
    assert found.lower == pytest.approx(2)
