"""How many passes a component needs for one image, counted on a small network: one with attention if it must be."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ..components.choice import Choice, choose
from ..components.decorators import make_method
from ..components.kinds import Method, Metric, Perturbation
from ..errors import noted
from ..subjects.reference import BACKGROUND
from ..subjects.trained_models import wrap
from ..toolkit.data import Data, Reference
from .applies import missing_library, needs_method, needs_perturbation
from .batching import Batcher
from .conditions import Conditions
from .costs import Cost
from .passes import count_passes
from .scores import score
from .stand_in import stand_in
from .values import Values

SHAPE, CLASSES = (1, 28, 28), 10


def passes_of(entry: Method | Metric | Perturbation) -> str:
    """What a component costs for one image at default settings, such as ``1 forward, 1 backward, 2 explained``.

    Forward and backward passes of the model, and images that a method explains. The forward pass that predicts the
    image's class is not counted: every component needs it. Values that other components could share are counted in
    full. ``none`` if there is nothing to count; empty if it cannot be counted here.
    """
    choice = choose(entry)

    def compute(values: Values, method: Choice) -> object:
        if isinstance(entry, Method):
            return values.attribution(choice)
        if isinstance(entry, Perturbation):
            return values.perturbed_x(choice, method)
        unchanged = choose(Perturbation("unchanged", _unchanged, supplied=("x",)))
        return score(
            values,
            choice,
            method if needs_method(entry) else None,
            unchanged if needs_perturbation(entry) else None,
        )

    if isinstance(entry, Metric) and missing_library(entry):
        return ""
    return _count(compute)


def _count(compute: Callable[[Values, Choice], object]) -> str:
    """What ``compute`` costs for one image, on the first of two small networks on which it can be computed."""
    return _count_on(lambda: stand_in(SHAPE, CLASSES), compute) or _count_on(_Transformer, compute)


def _count_on(make: Callable[[], nn.Module], compute: Callable[[Values, Choice], object]) -> str:
    """What ``compute`` costs for one image, given its values and a method whose attributions need no pass."""
    explained = []

    def without_passes(x: Tensor) -> Tensor:
        explained.append(len(x))
        return x.clone()

    with torch.random.fork_rng(devices=[]):
        trained = wrap(make(), "small", lipschitz=1.0)
        x = torch.rand(1 + BACKGROUND, *SHAPE, generator=torch.Generator().manual_seed(0))
        data = Data(x[:1], torch.zeros(1, dtype=torch.int64), list(map(str, range(CLASSES))), x[:1] > 0.5)
        with count_passes(trained.module) as passes:
            reference = Reference(x.mean(0), x[1:])
            values = Values(trained, data, reference, Conditions(), Batcher(1, "cpu"), passes)
            try:
                values.label = values.logits.argmax(1)  # an attack leaves alone what is predicted wrong
                with noted():
                    compute(values, choose(make_method(without_passes)))
            except Exception:  # the catalogue lists the component nevertheless, without a cost
                return ""
    prediction = values.memo.cost.get(("logits",), Cost())
    counts = {
        "forward": passes.forward - prediction.forward,
        "backward": passes.backward,
        "explained": sum(explained),
    }
    return ", ".join(f"{count:.0f} {name}" for name, count in counts.items() if count) or "none"


class _Transformer(nn.Module):
    """One layer of attention between patches."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Conv2d(SHAPE[0], 4, 7, stride=7), nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x).flatten(2).mT[:, None]
        return self.head(scaled_dot_product_attention(tokens, tokens, tokens)[:, 0].mean(1))


def _unchanged(x: Tensor) -> Tensor:
    return x
