"""Small models in float64, whose attributions are known."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import methods
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.toolkit.data import Reference
from xaiboard.benchmark.toolkit.rng import SampleRng


@pytest.fixture(params=[1, 3], ids=["grey", "rgb"])
def weight(request: pytest.FixtureRequest) -> Tensor:
    """Weights of four linear logits, ``(4, C, 12, 10)``."""
    shape = (4, request.param, 12, 10)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def linear(weight: Tensor) -> nn.Sequential:
    """Logits ``w_k . x + b_k``."""
    layer = nn.Linear(weight[0].numel(), 4, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(weight.flatten(1))
    return nn.Sequential(nn.Flatten(), layer).eval()


@pytest.fixture
def x(weight: Tensor) -> Tensor:
    shape = (5, *weight.shape[1:])
    return torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def target() -> Tensor:
    return torch.tensor([0, 3, 1, 1, 2])


@pytest.fixture
def cnn() -> nn.Sequential:
    """Two convolutions on 12x10 RGB images, four classes."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [
            nn.Conv2d(3, 6, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(6, 5, 3, stride=2),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(60, 4),
        ]
        return nn.Sequential(*layers).double().eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(5, 3, 12, 10, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def training_images(x: Tensor) -> Reference:
    """Six training images shaped like those of ``x``."""
    samples = torch.rand(6, *x.shape[1:], generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return Reference(samples.mean(0).to(x), samples.to(x))


@pytest.fixture
def background() -> Callable[[Tensor], Reference]:
    """What :func:`attribute` gives as the reference unless told otherwise."""
    return training_images


def reason(name: str, model: nn.Module, shape: tuple[int, ...] = (1, 12, 10), **settings: object) -> str:
    """Why a method does not apply to a model, or would be wrong there by its own check; empty if it is right."""
    first = next(model.parameters(), torch.empty(0))
    x = torch.rand(1, *shape, generator=torch.Generator().manual_seed(5)).to(first)
    choice = choose(methods[name], settings)
    return choice.reason_against(model) or choice.reason_on(model, x, torch.zeros(1, dtype=torch.long))


@pytest.fixture
def reason_against() -> Callable[..., str]:
    """See :func:`reason`."""
    return reason


Attribute = Callable[..., Tensor]


@pytest.fixture
def attribute() -> Attribute:
    """Calls a registered method with what it asks for; ``ids`` are the samples' ids."""

    def call(
        name: str,
        model: nn.Module,
        x: Tensor,
        target: Tensor,
        ids: list[int] | None = None,
        reference: Reference | None = None,
        **settings: object,
    ) -> Tensor:
        rng = SampleRng(0, range(len(x)) if ids is None else ids, name)
        given: dict[str, object] = {"model": model, "x": x, "target": target, "rng": rng}
        given["reference"] = training_images(x) if reference is None else reference
        return methods[name](**{key: given[key] for key in methods[name].supplied}, **settings)

    return call
