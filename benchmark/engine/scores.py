"""Scores of samples by one metric: computed batch by batch, and checked as the metric returns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..components.choice import Choice
from ..components.kinds import Weighted
from ..errors import XaiboardError
from .values import Values, describe_value


@dataclass(frozen=True)
class Scores:
    """What a metric gave for ``N`` samples, by column; the plain score's name is empty.

    Args:
        score: float ``(N,)`` each.
        weight: ``(N,)`` each, for the columns whose mean is weighted.
        curve: ``(N, S)`` each.
    """

    score: Mapping[str, Tensor] = field(default_factory=dict)
    weight: Mapping[str, Tensor] = field(default_factory=dict)
    curve: Mapping[str, Tensor] = field(default_factory=dict)

    def __getitem__(self, rows: slice) -> Scores:
        """The scores of some of the samples."""
        kinds = self.score, self.weight, self.curve
        return Scores(*({name: values[rows] for name, values in kind.items()} for kind in kinds))


def score(values: Values, metric: Choice, method: Choice | None, perturbation: Choice | None) -> Scores:
    """Scores of all samples of ``values`` by one metric.

    A metric that compares two maps counts the samples whose prediction holds under the perturbation.

    Raises:
        XaiboardError: the metric, or the method, returned something else than it must.
    """
    component = metric.component
    shared = {name: values.shared(metric, name) for name in component.shared}
    names = [name for name in component.supplied if name not in shared]

    def batch(rows: slice) -> Scores:
        given = values.supply(
            names, rows, f"metric/{component.name}", method, perturbation, other=metric.base
        )
        given |= {name: value[rows] for name, value in shared.items()}
        return read_scores(component.name, component.compute(given, metric.settings), rows.stop - rows.start)

    if component.whole:
        return batch(slice(0, len(values)))
    scores = _concatenate(list(values.batcher.map(batch, len(values))))
    if perturbation is not None and method is not None and metric.needs("perturbed_attribution"):
        held = values.held(perturbation, method).to(values.x.dtype)
        weight = {name: scores.weight.get(name, 1.0) * held for name in scores.score}
        return Scores(scores.score, weight, scores.curve)
    return scores


def read_scores(name: str, returned: Any, n: int) -> Scores:  # noqa: ANN401 - anything a plug-in returns
    """A metric's return value as :class:`Scores` of ``n`` samples.

    Raises:
        XaiboardError: not one finite score a sample, or an unreadable column.
    """
    columns = returned if isinstance(returned, Mapping) else {"": returned}
    score, weight, curve = {}, {}, {}
    for column, value in columns.items():
        full = f"{name}.{column}" if column else name
        if isinstance(value, Weighted):
            _check(full, value.weight, (n,))
            weight[column] = value.weight.detach()
            value = value.score  # noqa: PLW2901 - the rest of a pair is a plain column
        if isinstance(value, Tensor) and value.ndim == 2 and len(value) == n:
            _check(full, value, tuple(value.shape))
            curve[column] = value.detach()
        else:
            _check(full, value, (n,))
            score[column] = (
                value.detach().to(torch.get_default_dtype())
                if not value.is_floating_point()
                else value.detach()
            )
    if not score:
        raise XaiboardError(f"metric '{name}' returned no score; return (B,) values or a mapping of them")
    return Scores(score, weight, curve)


def _check(name: str, value: Any, shape: tuple[int, ...]) -> None:  # noqa: ANN401 - anything a plug-in returns
    if not isinstance(value, Tensor) or value.shape != shape or not value.isfinite().all():
        raise XaiboardError(
            f"metric '{name}' must return finite scores shaped {shape}, got {describe_value(value)}"
        )


def _concatenate(parts: list[Scores]) -> Scores:
    def join(kind: str) -> dict[str, Tensor]:
        return {
            name: torch.cat([getattr(part, kind)[name] for part in parts]) for name in getattr(parts[0], kind)
        }

    return Scores(join("score"), join("weight"), join("curve"))
