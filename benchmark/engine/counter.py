"""Counts what methods, metrics and perturbations need, on a small network in place of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any

from torch import Tensor, nn

from ..components.choice import Choice
from ..components.kinds import Method
from ..errors import SettingError, noted
from ..subjects.trained_models import TrainedModel, wrap
from ..toolkit.data import Data, Reference
from ..toolkit.ranges import MOST
from .batching import Batcher
from .cell import Cell
from .conditions import Conditions
from .counts import ANY, Counted, KeptCounts
from .isolation import Guard
from .passes import TooManyPassesError, count_passes
from .scores import score
from .stand_in import stand_in
from .values import Values
from .watched_code import own_components

HANDFUL = 100
"""Passes through a real network, at most, to count a component that the small one does not suit."""

Compute = Callable[[Values], object]


class Counter:
    """Counts passes on small networks, or on the network of a cell where these do not do."""

    def __init__(
        self,
        stack: ExitStack,
        data: Data,
        reference: Reference | None,
        conditions: Conditions,
        others: Mapping[str, TrainedModel],
    ) -> None:
        self.known = KeptCounts(data, conditions)
        self._stack, self._data, self._reference, self._conditions = stack, data[:1], reference, conditions
        self._others = others
        self._small: dict[int, _Explains] = {}
        self._real: dict[str, _Explains] = {}
        self._guards: dict[tuple[str, nn.Module], Guard] = {}

    def explanation(self, cell: Cell, method: Choice) -> Counted | None:
        """What one explanation by the method of a cell needs, or None if it cannot be counted.

        Raises:
            SettingError: a setting makes no sense.
            TooManyPassesError: it needs more than a million passes.
        """
        counted = self._count(cell, [method], [], lambda values: values.attribution(method))
        if counted is None:
            return None
        explained = ("attribution", method.label)
        return Counted(
            counted.kept[explained], {key: cost for key, cost in counted.kept.items() if key != explained}
        )

    def judgement(self, cell: Cell, name: str, layers: int) -> Counted | None:
        """What metric and perturbation of a cell need, whatever explains; raises as :meth:`explanation`.

        Args:
            cell: of any model and method that they apply to.
            name: of the method, if the perturbation asks for it.
            layers: of the network, if the metric changes them.
        """
        method = cell.method and _AnyMethod(cell.method.component, cell.method.settings, name=name)

        def judge(values: Values) -> object:
            return score(values, cell.metric, method, cell.perturbation)

        choices = [choice for choice in (cell.metric, cell.perturbation) if choice]
        return self._count(cell, choices, [name, layers], judge, layers)

    def _count(
        self,
        cell: Cell,
        choices: Sequence[Choice],
        further: Sequence[object],
        compute: Compute,
        layers: int = 0,
    ) -> Counted | None:
        if known := self.known.get(choices, further):
            return known
        values = self._small_network(max(2, layers))
        if own_components(cell):  # of these nobody knows what else they change
            values.guard = self._guard(cell.model, values.model)
        try:
            counted = _counted(values, compute, MOST)
        except TooManyPassesError:
            raise
        except Exception:  # the small network may not suit it
            return self._on_network(cell, compute)
        self.known.note(choices, further, counted)
        return counted

    def _on_network(self, cell: Cell, compute: Compute) -> Counted | None:
        values = self._network(cell.model)
        try:
            return _counted(values, compute, HANDFUL)
        except SettingError:  # wrong whatever the input: the plan is refused before anything is computed
            raise
        except Exception:  # the run will report it
            return None
        finally:
            if own := own_components(cell):
                values.check_network(" or ".join(own))
                values.require_network()

    def _small_network(self, layers: int) -> _Explains:
        if layers not in self._small:
            shape, classes = self._data.shape, len(self._data.classes)
            model, *others = (
                wrap(stand_in(shape, classes, layers), "small", lipschitz=1.0)
                for _ in range(1 + len(self._others))
            )
            conditions = replace(self._conditions, device="cpu")
            values = self._values(model, conditions, dict(zip(self._others, others, strict=True)))
            values.label = values.logits.argmax(1)  # an attack leaves alone what is predicted wrong
            self._small[layers] = values
        return self._small[layers]

    def _network(self, trained: TrainedModel) -> _Explains:
        if trained.name not in self._real:
            self._real[trained.name] = self._values(trained, self._conditions, self._others)
        return self._real[trained.name]

    def _guard(self, trained: TrainedModel, small: nn.Module) -> Guard:
        """Puts a network back where a component changes it that is counted on the small one."""
        key = trained.name, small
        if key not in self._guards:
            real = self._network(trained)
            networks = {"small": small, "model": real.model, **real.others}
            self._guards[key] = Guard(networks, self._conditions.seed, real.exercise)
        return self._guards[key]

    def _values(
        self, trained: TrainedModel, conditions: Conditions, others: Mapping[str, TrainedModel]
    ) -> _Explains:
        passes = self._stack.enter_context(count_passes(trained.module))
        batcher = Batcher(1, conditions.device)
        return _Explains(trained, self._data, self._reference, conditions, batcher, passes, others)


class _Explains(Values):
    """Counts the explanations of a method that stands for all, which returns the input for its map."""

    def _explain(self, method: Choice, rows: slice, x: Tensor, **replaced: Any) -> Tensor:  # noqa: ANN401
        if isinstance(method, _AnyMethod):
            self.memo.passes.explained += len(x)
            return x.detach().clone()
        return super()._explain(method, rows, x, **replaced)


@dataclass(frozen=True)
class _AnyMethod(Choice[Method]):
    """A method that stands for all of those, or for all of one name."""

    name: str = ""

    @property
    def label(self) -> str:
        """A label that no method has."""
        return ANY + self.name


def _counted(values: _Explains, compute: Compute, most: int) -> Counted:
    """What ``compute`` costs.

    Raises:
        TooManyPassesError: more than ``most``.
    """
    memo = values.memo
    memo.passes.most = memo.passes.forward + memo.passes.backward + most
    try:
        with noted():  # of this network and one image
            measured = memo.measured(partial(compute, values))[1]
    finally:
        memo.passes.most = inf
    return Counted(measured.own, {key: memo.cost[key] for key in measured.used})
