"""Metrics of the model alone."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, metrics

Measure = Callable[..., dict[str, Tensor]]
LOGITS = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [5.0, 0.0]])
LABEL = torch.tensor([1, 0, 0, 0])


def test_accuracy(measure: Measure) -> None:
    assert torch.equal(
        measure("accuracy", logits=LOGITS, label=LABEL)[""], torch.tensor([1.0, 1.0, 0.0, 1.0])
    )


def test_certified_accuracy(measure: Measure) -> None:
    certificate = torch.tensor([0.5, 0.49, 9.0, 2.0])
    found = measure("certified_accuracy", logits=LOGITS, label=LABEL, certificate=certificate)
    assert torch.equal(found[""], torch.tensor([1.0, 0.0, 0.0, 1.0]))
    assert torch.equal(found["radius"], torch.tensor([0.5, 0.49, 0.0, 2.0]))
    wide = measure("certified_accuracy", logits=LOGITS, label=LABEL, certificate=certificate, epsilon=2.0)
    assert torch.equal(wide[""], torch.tensor([0.0, 0.0, 0.0, 1.0]))
    with pytest.raises(XaiboardError, match="'epsilon' of 'certified_accuracy' must be at least 0"):
        measure("certified_accuracy", logits=LOGITS, label=LABEL, certificate=certificate, epsilon=-1.0)


def test_gradient_norm_of_a_linear_model_is_that_of_the_weight(measure: Measure) -> None:
    net, target = nn.Linear(7, 3), torch.tensor([0, 2])
    with torch.no_grad():
        found = measure("gradient_norm", x=torch.rand(2, 7), model=net, target=target)
    torch.testing.assert_close(found[""], net.weight[target].norm(dim=1).detach())
    assert net.weight.grad is None


def test_lipschitz(measure: Measure) -> None:
    found = measure("lipschitz", lipschitz=torch.tensor([[1.0, 0.5], [1.0, 0.9]]))
    assert torch.equal(found[""], torch.tensor([0.5, 0.9]))
    assert torch.equal(found["upper"], torch.ones(2))


@pytest.mark.parametrize("name", ["accuracy", "certified_accuracy", "gradient_norm", "lipschitz"])
def test_needs_no_attribution(name: str) -> None:
    assert metrics[name].family == "model"
    assert not metrics[name].needs("attribution")
