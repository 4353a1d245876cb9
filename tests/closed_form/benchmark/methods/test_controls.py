"""The controls: a random map, the edges of the image, a constant, the middle of the image."""

import math

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import XaiboardError, methods
from xaiboard.benchmark.methods.random_map import random
from xaiboard.benchmark.methods.sobel import sobel
from xaiboard.benchmark.toolkit.rng import SampleRng


def test_controls_are_marked() -> None:
    assert {name for name, entry in methods.items() if entry.control} >= {
        "random", "sobel", "constant", "gaussian", "blurred",
    }  # fmt: skip
    assert not methods["saliency"].control


def test_random_is_standard_normal() -> None:
    """Mean and variance of n numbers within four standard errors, 1/sqrt(n) and sqrt(2/n)."""
    found = random(torch.zeros(4, 3, 50, 50), SampleRng(0, range(4), "random"))
    n = found.numel()
    assert abs(found.mean()) < 4 / n**0.5
    assert abs(found.var() - 1) < 4 * (2 / n) ** 0.5


def test_sobel_of_a_vertical_step() -> None:
    """A step of height h gives h/2 per pixel on both of its sides: kernel (1, 2, 1)/4 times (-1, 0, 1)/2."""
    x = torch.zeros(1, 1, 6, 8)
    x[..., 4:] = 0.6
    expected = torch.zeros(1, 1, 6, 8)
    expected[..., 3:5] = 0.3
    torch.testing.assert_close(sobel(x), expected)


def test_sobel_turns_with_the_image() -> None:
    x = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(sobel(x.mT), sobel(x).mT)


def test_sobel_sums_to_the_magnitude_of_the_mean_channel() -> None:
    x = torch.rand(2, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(sobel(x).sum(1, keepdim=True), sobel(x.mean(1, keepdim=True)))


def test_sobel_sees_no_edge_at_the_frame() -> None:
    assert (sobel(torch.full((1, 1, 5, 5), 0.7, dtype=torch.float64)).abs() < 1e-15).all()


def test_sobel_of_a_diagonal_ramp() -> None:
    """Brightness ``a i + b j`` has the gradient ``(a, b)`` in the interior."""
    i, j = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")
    inner: Tensor = sobel((0.3 * i + 0.4 * j)[None, None])[..., 1:-1, 1:-1]
    torch.testing.assert_close(inner, torch.full_like(inner, 0.5))


def test_sobel_refuses_vectors() -> None:
    with pytest.raises(XaiboardError, match="'sobel' needs images"):
        sobel(torch.zeros(2, 9))


def test_constant_is_one_everywhere() -> None:
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    assert torch.equal(methods["constant"](x=x), torch.ones(2, 3, 4, 5, dtype=torch.float64))


@pytest.mark.parametrize(("height", "width"), [(9, 9), (8, 11)])
def test_gaussian_is_centred_and_as_wide_as_asked(height: int, width: int) -> None:
    """Against a loop: ``exp(-d^2 / 2)`` at ``d`` deviations from the middle, in shares of each side."""
    x = torch.rand(2, 3, height, width, dtype=torch.float64)
    found = methods["gaussian"](x=x, sigma=0.2).sum(1)
    for i in range(height):
        for j in range(width):
            down, across = ((2 * i + 1) / height - 1) / 2, ((2 * j + 1) / width - 1) / 2
            expected = math.exp(-(down**2 + across**2) / (2 * 0.2**2))
            torch.testing.assert_close(found[:, i, j], torch.full((2,), expected, dtype=torch.float64))


def test_gaussian_refuses() -> None:
    with pytest.raises(XaiboardError, match="'gaussian' needs images"):
        methods["gaussian"](x=torch.zeros(2, 9))
    with pytest.raises(XaiboardError, match="'sigma' of 'gaussian' must be positive; got '0'"):
        methods["gaussian"](x=torch.zeros(2, 1, 4, 4), sigma=0.0)
