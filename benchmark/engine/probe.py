"""The passes that each cell will need, counted on one sample before the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from math import inf
from typing import Any

import torch
from torch import Tensor

from ..components.choice import Choice
from ..errors import SettingError
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data, Reference
from ..toolkit.ranges import MOST
from .batching import Batcher
from .cell import Cell
from .conditions import Conditions
from .costs import Cost, total
from .memo import Key, Measured
from .passes import TooManyPassesError, count_passes
from .scores import score
from .values import Values
from .watched_code import own_components


@dataclass(frozen=True)
class Costs:
    """Passes for one sample.

    Args:
        cells: cost of each combination, by the labels of method, metric and perturbation; None if the probe raised.
        kept: cost of each value that cells of one model share.
    """

    cells: dict[tuple[str, str, str], Measured | None]
    kept: dict[Key, Cost]

    def alone(self, cell: Cell) -> Cost | None:
        """Passes of one cell if it were computed alone, or None if the probe raised."""
        measured = self.cells.get(_combination(cell))
        return measured and measured.own + total(self.kept[key] for key in measured.used)

    def together(self, cells: Iterable[Cell]) -> Cost:
        """Passes of several cells; values that cells of one model share count once."""
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
    """Passes for one sample of each combination of method, metric and perturbation.

    They are counted on the first model that the combination applies to, and taken to be the same for all models.

    Raises:
        SettingError: a setting makes no sense, or settings ask for more than a million passes.
        XaiboardError: a component changed what a network computes, and that cannot be put back.
    """
    costs = Costs({}, {})
    for _, group in groupby(cells, key=lambda cell: cell.model.name):
        todo = [cell for cell in group if not cell.reason and _combination(cell) not in costs.cells]
        if not todo:
            continue
        with count_passes(todo[0].model.module) as passes:
            values = _ProbeValues(
                todo[0].model, data[:1], reference, conditions, Batcher(1, conditions.device), passes, others
            )
            for cell in todo:
                costs.cells[_combination(cell)] = _measure(cell, values)
                if own := own_components(cell):
                    values.check_network(" or ".join(own))
                    values.require_network()
        costs.kept.update(values.memo.cost)
    return costs


def _measure(cell: Cell, values: Values) -> Measured | None:
    """Cost of a cell, or None if a component raised."""
    passes = values.memo.passes
    passes.most = passes.forward + passes.backward + MOST
    try:
        return values.memo.measured(partial(score, values, cell.metric, cell.method, cell.perturbation))[1]
    except SettingError:  # wrong whatever the input: the plan is refused before anything is computed
        raise
    except TooManyPassesError:  # whatever the network: the probe itself would not come to an end
        labels = "', '".join(filter(None, _combination(cell)))
        raise SettingError(
            f"one sample needs more than {MOST} passes through the model for '{labels}'; give smaller settings"
        ) from None
    except Exception:  # the run will report it
        return None
    finally:
        passes.most = inf


def _combination(cell: Cell) -> tuple[str, str, str]:
    labels = (choice.label if choice else "" for choice in (cell.method, cell.metric, cell.perturbation))
    method, metric, perturbation = labels
    return method, metric, perturbation


class _ProbeValues(Values):
    """Runs each method for one explanation only; for later ones it adds the same passes and returns zeros.

    A metric that explains an image a hundred times is thus probed in the time of one explanation.
    """

    @cached_property
    def _passes_of_method(self) -> dict[str, tuple[float, float]]:
        """Forward and backward passes of one explanation, by the method's label."""
        return {}

    def _explain(self, method: Choice, rows: slice, x: Tensor, **replaced: Any) -> Tensor:  # noqa: ANN401
        passes = self.memo.passes
        if method.label not in self._passes_of_method:
            _ = self.target  # computed now, so that its pass is not counted as the method's
            before = passes.forward, passes.backward
            result = super()._explain(method, rows, x, **replaced)
            spent = passes.forward - before[0], passes.backward - before[1]
            self._passes_of_method[method.label] = spent
            return result
        forward, backward = self._passes_of_method[method.label]
        passes.add(forward, backward)
        return torch.zeros_like(x)
