"""Noise of every kind: its law, its bounds, and that a sample's noise is its own."""

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import XaiboardError, perturbations
from xaiboard.benchmark.toolkit.rng import SampleRng

NAMES = ["gaussian_noise", "sign_noise", "uniform_noise"]


@pytest.fixture
def grey() -> Tensor:
    """Mid-grey images, which noise of 0.1 does not clip often."""
    return torch.full((4, 3, 20, 20), 0.5, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "deviation"), [("gaussian_noise", 0.1), ("sign_noise", 0.1), ("uniform_noise", 0.1 / 3**0.5)]
)
def test_has_the_stated_size(grey: Tensor, name: str, deviation: float) -> None:
    """4,800 draws: the mean within four standard errors of 0, the deviation within 4 %."""
    noise = perturbations[name](x=grey, rng=SampleRng(0, range(4), name), eps=0.1) - grey
    assert abs(noise.mean()) < 4 * deviation / 4800**0.5
    assert noise.std().item() == pytest.approx(deviation, rel=0.04)
    if name != "gaussian_noise":
        assert noise.abs().max() <= 0.1 + 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_stays_in_range_and_leaves_the_input_alone(name: str) -> None:
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    kept = x.clone()
    noisy = perturbations[name](x=x, rng=SampleRng(0, range(3), name), eps=1.0)
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    assert torch.equal(x, kept)
    still = perturbations[name](x=x, rng=SampleRng(0, range(3), name), eps=0.0)
    assert torch.equal(still, x)


@pytest.mark.parametrize("name", NAMES)
def test_is_that_of_the_sample_whatever_its_batch(grey: Tensor, name: str) -> None:
    whole = perturbations[name](x=grey, rng=SampleRng(3, range(4), name))
    alone = [perturbations[name](x=grey[i : i + 1], rng=SampleRng(3, [i], name)) for i in range(4)]
    assert torch.equal(torch.cat(alone), whole)
    assert not torch.equal(whole, perturbations[name](x=grey, rng=SampleRng(4, range(4), name)))
    assert not torch.equal(whole[0], whole[1])


@pytest.mark.parametrize("eps", [-0.1, 1.1])
@pytest.mark.parametrize("name", NAMES)
def test_refuses_a_radius_outside_the_range(name: str, eps: float) -> None:
    with pytest.raises(XaiboardError, match=f"'eps' of '{name}' must be from 0 to 1, .*; got '{eps}'"):
        perturbations[name](x=torch.zeros(1, 4), rng=SampleRng(0, [0], ""), eps=eps)
