"""Passes of each cell, counted on one sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from ..components.choice import Choice
from ..errors import SettingError
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data, Reference
from .batching import Batcher
from .cell import Cell
from .conditions import Conditions
from .costs import Cost, total
from .memo import Key, Measured
from .passes import count_passes
from .scores import score
from .values import Values


@dataclass(frozen=True)
class Costs:
    """Passes for one sample.

    Args:
        cells: by method, metric and perturbation; None where the probe raised.
        kept: of the values that cells of one model share.
    """

    cells: dict[tuple[str, str, str], Measured | None]
    kept: dict[Key, Cost]

    def alone(self, cell: Cell) -> Cost | None:
        """Passes of one cell had it been computed alone, or None if the probe raised."""
        measured = self.cells.get(_combination(cell))
        return measured and measured.own + total(self.kept[key] for key in measured.used)

    def together(self, cells: Iterable[Cell]) -> Cost:
        """Passes of several cells; what cells of one model share counts once."""
        known = [(cell.model.name, self.cells.get(_combination(cell))) for cell in cells]
        kept = {(model, key) for model, measured in known if measured for key in measured.used}
        own = total(measured.own for _, measured in known if measured)
        return own + total(self.kept[key] for _, key in kept)


def probe(
    cells: Sequence[Cell],
    data: Data,
    reference: Reference | None,
    conditions: Conditions,
    others: Mapping[str, TrainedModel] | None = None,
) -> Costs:
    """Counts passes on one sample, of each combination on the first model that it applies to."""
    costs = Costs({}, {})
    for _, group in groupby(cells, key=lambda cell: cell.model.name):
        todo = [cell for cell in group if not cell.reason and _combination(cell) not in costs.cells]
        if not todo:
            continue
        with count_passes(todo[0].model.module) as passes:
            values = _Probe(
                todo[0].model, data[:1], reference, conditions, Batcher(1, conditions.device), passes, others
            )
            for cell in todo:
                try:
                    _, measured = values.memo.measured(
                        partial(score, values, cell.metric, cell.method, cell.perturbation)
                    )
                except SettingError:
                    raise
                except Exception:  # the run itself reports what a component raises
                    measured = None
                costs.cells[_combination(cell)] = measured
        costs.kept.update(values.memo.cost)
    return costs


def _combination(cell: Cell) -> tuple[str, str, str]:
    labels = (choice.label if choice else "" for choice in (cell.method, cell.metric, cell.perturbation))
    method, metric, perturbation = labels
    return method, metric, perturbation


class _Probe(Values):
    """Explains once with each method; later explanations are counted and not made."""

    def _explain(self, method: Choice, rows: slice, x: Tensor, **replaced: Any) -> Tensor:  # noqa: ANN401
        passes = self.memo.passes
        known: dict[str, tuple[float, float]] = self.__dict__.setdefault("_known", {})
        if method.label not in known:
            _ = self.target  # not the method's own cost
            before = passes.forward, passes.backward
            result = super()._explain(method, rows, x, **replaced)
            known[method.label] = passes.forward - before[0], passes.backward - before[1]
            return result
        forward, backward = known[method.label]
        passes.forward += forward
        passes.backward += backward
        return torch.zeros_like(x)
