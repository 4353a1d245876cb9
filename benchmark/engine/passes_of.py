"""Passes of a component: those of one image through a small network, counted."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..components.choice import Choice, choose
from ..components.decorators import make_method
from ..components.kinds import Method, Metric, Perturbation
from ..subjects.datasets import BACKGROUND
from ..subjects.trained_models import wrap
from ..toolkit.data import Data, Reference
from .applies import missing_library, needs_method, needs_perturbation
from .batching import Batcher
from .conditions import Conditions
from .costs import Cost
from .passes import count_passes
from .scores import score
from .values import Values

SHAPE, CLASSES = (1, 28, 28), 10


def passes_of(entry: Method | Metric | Perturbation) -> str:
    """Passes and explanations at default settings, without the prediction; empty where they cannot be counted.

    Values that other components could share are counted in full.
    """
    choice = choose(entry)

    def compute(values: Values, method: Choice) -> object:
        if isinstance(entry, Method):
            return values.attribution(choice)
        if isinstance(entry, Perturbation):
            return values.perturbed_x(choice, method)
        same = choose(Perturbation("same", _same, supplied=("x",)))
        judged, perturbed = needs_method(entry), needs_perturbation(entry)
        return score(values, choice, method if judged else None, same if perturbed else None)

    if isinstance(entry, Metric) and missing_library(entry):
        return ""
    return _count(compute)


def _count(compute: Callable[[Values, Choice], object]) -> str:
    explained = []

    def free(x: Tensor) -> Tensor:
        explained.append(len(x))
        return x.clone()

    with torch.random.fork_rng(devices=[]):
        trained = wrap(_network(), "small", lipschitz=1.0)
        x = torch.rand(1 + BACKGROUND, *SHAPE, generator=torch.Generator().manual_seed(0))
        data = Data(x[:1], torch.zeros(1, dtype=torch.int64), list(map(str, range(CLASSES))), x[:1] > 0.5)
        with count_passes(trained.module) as passes:
            reference = Reference(x.mean(0), x[1:])
            values = Values(trained, data, reference, Conditions(), Batcher(1, "cpu"), passes)
            try:
                compute(values, choose(make_method(free)))
            except Exception:  # a list shows what can be selected, whatever it raises
                return ""
    prediction = values.memo.cost.get(("logits",), Cost())
    counts = {
        "forward": passes.forward - prediction.forward,
        "backward": passes.backward,
        "explained": sum(explained),
    }
    return ", ".join(f"{count:.0f} {name}" for name, count in counts.items() if count) or "none"


def _network() -> nn.Sequential:
    """A convolution, a ReLU and a dense layer, 1-Lipschitz, the same each time."""
    size = [(side - 3) // 2 + 1 for side in SHAPE[1:]]
    network = nn.Sequential(
        nn.Conv2d(SHAPE[0], 4, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * size[0] * size[1], CLASSES),
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.01 * torch.arange(parameter.numel()).cos().view_as(parameter))
    return network


def _same(x: Tensor) -> Tensor:
    return x
