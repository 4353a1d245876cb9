"""Models on which the metrics have known values, and the metrics with random numbers of their own."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import metrics
from xaiboard.benchmark.rng import SampleRng


class TwoClasses(nn.Module):
    """Logits ``(w . x, -w . x)``: the probability of class 0 rises with ``w . x`` alone."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = w

    def forward(self, x: Tensor) -> Tensor:
        score = (x * self.w).flatten(1).sum(1)
        return torch.stack([score, -score], dim=1)


class LinearProbability(TwoClasses):
    """Logits ``(log p, log(1 - p))`` with ``p = 0.1 + w . x``: a probability that is linear in ``x``."""

    def forward(self, x: Tensor) -> Tensor:
        p = 0.1 + (x * self.w).flatten(1).sum(1)
        return torch.stack([p.log(), (1 - p).log()], dim=1)


@pytest.fixture(params=[1, 3], ids=["grey", "rgb"])
def x(request: pytest.FixtureRequest) -> Tensor:
    shape = (6, request.param, 8, 7)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def w(x: Tensor) -> Tensor:
    return torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def two_classes(w: Tensor) -> nn.Module:
    return TwoClasses(0.3 * w)


@pytest.fixture
def linear_probability(w: Tensor) -> nn.Module:
    return LinearProbability(0.8 * w.abs() / w.abs().sum())


@pytest.fixture
def target(x: Tensor) -> Tensor:
    return torch.zeros(len(x), dtype=torch.int64)


@pytest.fixture
def net(x: Tensor) -> nn.Module:
    """A small random network with five classes, not close to linear."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Flatten(), nn.Linear(x[0].numel(), 12), nn.Tanh(), nn.Linear(12, 5)
        net = nn.Sequential(*layers).double().eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(4)
    return net


Measure = Callable[..., dict[str, Tensor]]


@pytest.fixture
def measure() -> Measure:
    """Calls a registered metric with the random numbers of the samples ``ids``."""

    def call(
        name: str, ids: Sequence[int] | None = None, seed: int = 0, **given: object
    ) -> dict[str, Tensor]:
        first = next(value for value in given.values() if isinstance(value, Tensor))
        ids = range(len(first)) if ids is None else ids
        if metrics[name].needs("rng"):
            given["rng"] = SampleRng(seed, ids, name)
        scores = metrics[name](**given)
        return scores if isinstance(scores, dict) else {"": scores}

    return call
