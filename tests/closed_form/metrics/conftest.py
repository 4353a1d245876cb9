"""Models on which the metrics have known values, and the metrics with random numbers of their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, Weighted, metrics
from xaiboard.benchmark.toolkit.rng import SampleRng


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
def random_map() -> Callable[..., Tensor]:
    """Draws a signed map of images."""

    def draw(x: Tensor, seed: int = 5) -> Tensor:
        return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)

    return draw


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


@dataclass(frozen=True)
class Bed:
    """Images, a model of them, and what the suite would supply to a metric: everything but the map.

    Args:
        model: what is explained.
        x: images, ``(B, C, H, W)``.
        ids: of the samples; random numbers follow from them.
        mask: the left half of each image.
    """

    model: nn.Module
    x: Tensor
    ids: Sequence[int]
    mask: Tensor

    @property
    def exact(self) -> Tensor:
        """What each input adds to the logit of the predicted class, shaped like ``x``."""
        x = self.x.clone().requires_grad_()
        return self.x * torch.autograd.grad(self.model(x).amax(1).sum(), x)[0]

    def score(
        self,
        name: str,
        attribution: Tensor,
        *,
        explain: Callable[..., Tensor] | None = None,
        perturbed: Tensor | None = None,
        other: Tensor | None = None,
        background: Tensor | None = None,
        **settings: object,
    ) -> dict[str, Tensor]:
        """The columns of a metric; a weighted one as ``column product`` and ``column weight``."""
        logits = self.model(self.x).detach()
        target = logits.argmax(1)
        given: dict[str, object] = {
            "model": self.model,
            "x": self.x,
            "target": target,
            "label": target,
            "logits": logits,
            "attribution": attribution,
            "perturbed_attribution": attribution.flip(2) if perturbed is None else perturbed,
            "class_attributions": (attribution * self.x)[:, None],
            "other_attribution": attribution.flip(3) if other is None else other,
            "perturbed_x": 0.9 * self.x,
            "perturbed_logits": self.model(0.9 * self.x).detach(),
            "explain": explain or (lambda z, **_: attribution * (1 + (z - self.x))),
            "mask": self.mask,
            "certificate": self.x.flatten(1).amax(1),
            "lipschitz": self.x.flatten(1)[:, :2],
            "reference": Reference((self.x if background is None else background).mean(0), self.x),
        }
        entry = metrics[name]
        known = {key: setting.default for key, setting in entry.settings.items()} | given | settings
        for key, value in entry.shared.items():
            known["rng"] = SampleRng(0, self.ids, key)
            given[key] = value(**{wanted: known[wanted] for wanted in (*value.supplied, *value.settings)})
        given["rng"] = SampleRng(0, self.ids, name)
        scores = entry.compute({key: given[key] for key in entry.supplied}, settings)
        scores = scores if isinstance(scores, dict) else {"": scores}
        flat = {column: value for column, value in scores.items() if not isinstance(value, Weighted)}
        for column, value in scores.items():
            if isinstance(value, Weighted):
                flat |= {f"{column} product": value.score * value.weight, f"{column} weight": value.weight}
        return flat


@pytest.fixture
def bed(w: Tensor, x: Tensor) -> Bed:
    """A linear model of grey or RGB images with two opposite logits, of which everything is known."""
    mask = torch.zeros(len(x), 1, *x.shape[2:], dtype=torch.bool)
    mask[..., : x.shape[3] // 2] = True
    layer = nn.Linear(w.numel(), 2, bias=False).double()
    layer.weight.data = 0.3 * torch.stack([w.flatten(), -w.flatten()])
    return Bed(nn.Sequential(nn.Flatten(), layer).eval(), x, range(len(x)), mask)
