"""Finalised networks compute what the trained ones do, and no layer has a norm above 1."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.lipschitz.bounds import audit
from xaiboard.benchmark.lipschitz.layer_norms import layer_norm
from xaiboard.models.architectures import lipcnn, lipmlp
from xaiboard.models.training.finalise import constrain, finalise
from xaiboard.models.training.hkr import SoftHKR

SHAPE = (1, 12, 12)


@pytest.fixture(autouse=True)
def seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def steps(network: nn.Module, number: int, rate: float) -> None:
    x, label, loss = torch.rand(16, *SHAPE), torch.arange(16) % 5, SoftHKR(temperature=10)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    for _ in range(number):
        optimiser.zero_grad()
        loss(network(x), label).backward()
        optimiser.step()


@torch.no_grad()
@pytest.mark.parametrize("build", [lipmlp, lipcnn])
def test_equals_the_trained_network_in_eval_mode(build: Callable[..., nn.Sequential]) -> None:
    plain = build(SHAPE, 5)
    network = constrain(plain)
    with torch.enable_grad():
        steps(network, 5, rate=1e-2)
    final = finalise(network, plain, SHAPE)
    x = torch.rand(32, *SHAPE)
    assert torch.allclose(final(x), network.eval()(x), atol=1e-5)
    assert not final.training
    assert {type(layer).__module__.partition(".")[0] for layer in final} <= {"torch", "xaiboard"}
    assert audit(final, x).passes


@torch.no_grad()
def test_the_last_step_of_the_optimiser_counts() -> None:
    """The weights that deel-torchlip caches for eval mode are older; ``finalise`` updates them with a forward pass."""
    plain = lipmlp(SHAPE, 5)
    network = constrain(plain)
    with torch.enable_grad():
        steps(network, 3, rate=1e-2)
    x = torch.rand(32, *SHAPE)
    stale = network.eval()(x)
    final = finalise(network, plain, SHAPE)
    assert (final(x) - stale).abs().max() > 1e-3


def test_shares_no_storage_with_the_trained_network() -> None:
    plain = lipmlp(SHAPE, 5)
    network = constrain(plain)
    final = finalise(network, plain, SHAPE)
    x = torch.rand(4, *SHAPE)
    before = network(x)
    for parameter in final.parameters():
        parameter.data.zero_()
    assert torch.equal(network(x), before)


def test_a_layer_above_norm_one_is_scaled_down() -> None:
    plain = lipmlp(SHAPE, 5)
    network = lipmlp(SHAPE, 5)
    with torch.no_grad():
        next(network.parameters()).mul_(100)
    final = finalise(network, plain, SHAPE)
    assert layer_norm(final[1], (144,)) == pytest.approx(1, abs=1e-6)
    assert torch.equal(final.state_dict()["3.weight"], network.state_dict()["3.weight"])


def test_a_large_learning_rate_does_not_diverge() -> None:
    """With one power iteration in each step, torch's default, this training ends in NaN."""
    network = constrain(lipcnn(SHAPE, 5))
    steps(network, 20, rate=3e-2)
    assert all(parameter.isfinite().all() for parameter in network.parameters())


def test_missing_torchlip_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deel.torchlip", None)
    with pytest.raises(XaiboardError, match=r'pip install "xaiboard\[train\]"'):
        constrain(lipmlp(SHAPE, 5))
