"""Tries a component on a few samples: what it gives there stands for what it computes."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from ..components import registry
from ..components.choice import Choice, choose
from ..components.kinds import Method, Metric, Perturbation
from ..errors import noted
from ..subjects.fixed_inputs import function_outputs, sums
from ..subjects.outputs import Outputs
from ..subjects.shaking import Shaker
from ..toolkit.rng import SampleRng
from .applies import missing_library, needs_method, needs_perturbation
from .scores import score
from .values import Values


class TrialValues(Values):
    """Values on which a component is tried: they can be shaken before it gets them, see ``subjects.shaking``.

    Half of each input is noise. In real images there are ties, as between the pixels of a background, which rounding
    decides: what depends on them tells little of a function. The arguments are those of :class:`Values`.

    Attributes:
        shaker: what shakes them; None leaves them as they are.
        judged: whether attributions are there to be judged by a metric. Random maps are then scaled by the input: a
            metric that compares maps of several inputs would find them all the same.
    """

    shaker: Shaker | None = None
    judged: bool = False

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - those of the class above
        super().__init__(*given, **named)
        rng = SampleRng(0, range(len(self.x)), "trial")
        self.x = (self.x + rng.uniform(self.x, float(self.x.min()), float(self.x.max()))) / 2

    def supply(self, *given: Any, **named: Any) -> dict[str, Any]:  # noqa: ANN401 - those of the class above
        """Values of some names of the vocabulary; a mask is no result of a computation."""
        values = super().supply(*given, **named)
        return {name: value if name == "mask" else self._shaken(value) for name, value in values.items()}

    def _explain(self, method: Choice, rows: slice, x: Tensor, **replaced: Any) -> Tensor:  # noqa: ANN401
        x = self._shaken(x)
        attribution = super()._explain(method, rows, x, **replaced)
        return self._shaken(attribution * (1 + x) if self.judged else attribution)

    def _shaken(self, value: Any) -> Any:  # noqa: ANN401 - whatever a component gets
        return self.shaker(value) if self.shaker and isinstance(value, Tensor) else value


def try_function(choice: Choice, values: TrialValues) -> Outputs | None:
    """What a component gives for the samples of ``values``; None if it gives nothing.

    Metrics, and perturbations that ask for a method, get random maps of them.

    Args:
        choice: the method, metric or perturbation.
        values: of one model and a few samples.
    """
    if isinstance(choice.component, Metric) and missing_library(choice.component):
        return None

    def compute(shaker: Shaker | None) -> Tensor:
        values.shaker, values.judged = shaker, isinstance(choice.component, Metric)
        values.memo.clear()
        with noted(), shaker.layers(values.model) if shaker else nullcontext():
            return _numbers(choice, values)

    try:
        return function_outputs(compute, values.conditions.dtype)
    except Exception:  # the cells report it
        return None


def _numbers(choice: Choice, values: Values) -> Tensor:
    """Sums of a method's attributions or of a perturbation's images, or the columns of a metric, ``(B, numbers)``."""
    if isinstance(choice.component, Method):
        return sums(values.attribution(choice))
    random = choose(registry.methods["random"])
    if isinstance(choice.component, Perturbation):
        return sums(values.perturbed_x(choice, random))
    method = random if needs_method(choice.component) else None
    perturbed = needs_perturbation(choice.component)
    perturbation = choose(registry.perturbations["sign_noise"]) if perturbed else None
    columns = score(values, choice, method, perturbation).score
    return torch.stack([columns[name] for name in sorted(columns)], 1)
