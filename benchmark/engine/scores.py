"""Scores of samples by one metric: computed batch by batch, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..components.choice import Choice
from ..components.kinds import Weighted
from ..errors import XaiboardError
from .returned import require_finite
from .values import Values


@dataclass(frozen=True)
class Scores:
    """What a metric returned for ``N`` samples, by the name of the column; the plain score's name is empty.

    Args:
        score: one value a sample, float ``(N,)`` each.
        weight: weight of each sample in a column's mean, ``(N,)`` each; only for columns whose mean is weighted.
        curve: one curve a sample, ``(N, S)`` each.
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

    A metric that compares the maps of a sample and of its perturbed copy is averaged over the samples whose prediction
    the perturbation leaves unchanged; the others get weight 0.

    Raises:
        XaiboardError: the metric, or the method, returned something else than it must.
    """
    component = metric.component
    left_out = {
        name for name in component.shared if not metric.asks_for(name, otherwise=True)
    } | metric.unread
    shared = {name: None if name in left_out else values.shared(metric, name) for name in component.shared}
    names = [name for name in component.supplied if name not in {*shared, *metric.unread}]

    def batch(rows: slice) -> Scores:
        given = values.supply(
            names, rows, f"metric/{component.name}", method, perturbation, other=metric.base
        )
        given |= {name: None if value is None else value[rows].clone() for name, value in shared.items()}
        returned = values.guard.call("metric", component, given, metric.settings)
        return read_scores(component.name, returned, rows.stop - rows.start)

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
        XaiboardError: a column that is not one finite value (or, for a curve, one row of them) a sample, or no score.
    """
    columns = returned if isinstance(returned, Mapping) else {"": returned}
    score, weight, curve = {}, {}, {}
    for column, value in columns.items():
        full = f"{name}.{column}" if column else name
        if isinstance(value, Weighted):
            weight[column] = _finite(full, value.weight, (n,))
            value = value.score  # noqa: PLW2901 - checked like a column without weight
        if isinstance(value, Tensor) and value.ndim == 2 and len(value) == n:
            curve[column] = _finite(full, value, tuple(value.shape))
        else:
            found = _finite(full, value, (n,))
            score[column] = found if found.is_floating_point() else found.to(torch.get_default_dtype())
    if not score:
        raise XaiboardError(f"metric '{name}' returned no score; return (B,) values or a mapping of them")
    return Scores(score, weight, curve)


def _finite(name: str, value: Any, shape: tuple[int, ...]) -> Tensor:  # noqa: ANN401 - anything a plug-in returns
    return require_finite(f"metric '{name}'", "scores", value, shape).detach().clone()


def _concatenate(parts: list[Scores]) -> Scores:
    def join(kind: str) -> dict[str, Tensor]:
        return {
            name: torch.cat([getattr(part, kind)[name] for part in parts]) for name in getattr(parts[0], kind)
        }

    return Scores(join("score"), join("weight"), join("curve"))
