"""The ascent over pairs: against networks whose Lipschitz constant is known, and against no ascent."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark.lipschitz.bounds import audit, local_lipschitz, lower_bound, upper_bound
from xaiboard.benchmark.lipschitz.slopes import ascend, slope


class Claims(nn.Module):
    """Says that it is 1-Lipschitz, whatever it computes."""

    lipschitz = 1.0


class Twice(Claims):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


class Steps(Claims):
    """Flat wherever it has a slope: only pairs of images can tell."""

    def forward(self, x: Tensor) -> Tensor:
        return 0 * x + (4 * x).round()


def images(*shape: int, seed: int = 0) -> Tensor:
    """Images of which half of the pixels are black, as on the border of digits."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, generator=generator) * (torch.rand(shape, generator=generator) > 0.5)


def linear(inputs: int, outputs: int, seed: int = 0) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    layer.weight.data = torch.randn(outputs, inputs, generator=torch.Generator().manual_seed(seed))
    return layer


def rectified(seed: int = 0) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), linear(16, 32, seed), nn.ReLU(), linear(32, 5, seed + 1)).eval()


def spectral_norm(layer: nn.Linear) -> float:
    return torch.linalg.svdvals(layer.weight.detach().double())[0].item()


@pytest.mark.parametrize(("inputs", "outputs"), [(12, 4), (49, 10), (196, 10), (64, 64)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_linear_network_s_spectral_norm_is_reached_and_not_passed(
    inputs: int, outputs: int, seed: int
) -> None:
    layer = linear(inputs, outputs, seed)
    norm, x = spectral_norm(layer), images(32, inputs, seed=seed)
    found = slope(layer, *ascend(layer, x[:16], x[16:]))
    assert found.dtype == torch.float64
    assert norm * (1 - 1e-3) <= found.min()
    assert found.max() <= norm * (1 + 1e-12)
    assert lower_bound(layer, x) == pytest.approx(norm, rel=1e-6)


def test_the_slope_of_a_linear_network_between_given_images() -> None:
    layer, x = linear(6, 3), images(4, 6)
    for a, b, found in zip(x[:2], x[2:], slope(layer, x[:2], x[2:]), strict=True):
        step = (a - b).detach().double()
        rise = layer.weight.detach().double() @ step
        assert found == pytest.approx(math.dist(rise, [0] * 3) / math.dist(step, [0] * 6), rel=1e-12)


def test_equal_images_have_slope_zero_and_stay() -> None:
    x = images(3, 6)
    assert slope(linear(6, 3), x, x).tolist() == [0, 0, 0]
    assert torch.equal(ascend(linear(6, 3), x, x, steps=3)[0], x)


@pytest.mark.parametrize("seed", range(4))
def test_the_bounds_of_a_rectified_network_hold_what_is_between_them(seed: int) -> None:
    """The steepest of many random slopes is below the ascent's, and that is below the certified bound."""
    model, x = rectified(seed), images(64, 1, 4, 4, seed=seed)
    lower, upper = lower_bound(model, x), upper_bound(model, (1, 4, 4))
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.rand(2, 4096, 1, 4, 4, generator=generator)
    assert slope(model, *pairs).max() < lower <= upper
    assert local_lipschitz(model, x).max() <= lower


def test_the_constant_of_a_small_rectified_network_is_reached() -> None:
    """Slope 3 sqrt(2) where ``x_1 + x_2 > 1``, sqrt(2) where not: the constant is that of the steeper half."""
    first, second = nn.Linear(2, 2), nn.Linear(2, 1, bias=False)
    first.weight.data = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    first.bias.data = torch.tensor([-1.0, 1.0])
    second.weight.data = torch.tensor([[3.0, 1.0]])
    model = nn.Sequential(first, nn.ReLU(), second)
    assert lower_bound(model, images(8, 2)) == pytest.approx(3 * math.sqrt(2), rel=1e-6)


def test_the_ascent_stays_in_the_range_and_does_not_depend_on_the_batch() -> None:
    model, x = rectified().double(), images(12, 1, 4, 4).double()
    together = torch.stack(ascend(model, x[:6], x[6:]))
    assert together.min() >= 0
    assert together.max() <= 1
    apart = [torch.stack(ascend(model, x[i : i + 1], x[6 + i : 7 + i])) for i in range(6)]
    torch.testing.assert_close(torch.cat(apart, 1), together, rtol=0, atol=1e-9)
    assert torch.equal(torch.stack(ascend(model, x[:6], x[6:])), together)


def test_model_and_images_are_left_alone() -> None:
    model, x = rectified(), images(6, 1, 4, 4)
    before = x.clone(), [parameter.clone() for parameter in model.parameters()]
    lower_bound(model, x)
    assert torch.equal(x, before[0])
    for parameter, old in zip(model.parameters(), before[1], strict=True):
        assert torch.equal(parameter, old)
        assert parameter.grad is None


@pytest.mark.parametrize("liar", [Twice(), Steps()])
def test_a_layer_that_claims_too_little_fails_by_the_lower_bound(liar: nn.Module) -> None:
    layer = nn.Linear(16, 4)
    nn.init.orthogonal_(layer.weight)
    found = audit(nn.Sequential(nn.Flatten(), liar, layer), images(10, 1, 4, 4))
    assert found.upper == pytest.approx(1)
    assert found.lower > 1.05
    assert not found.consistent
    assert not found.passes


def test_a_single_image_is_enough() -> None:
    layer = linear(16, 4)
    assert lower_bound(layer, images(1, 16)) == pytest.approx(spectral_norm(layer), rel=1e-6)
