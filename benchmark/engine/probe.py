"""The passes that each cell will need, counted on a small network before the run: planning costs the networks nothing.

Methods are counted by themselves, and so are metrics and perturbations, of which it is counted how many images they
explain: a cell's passes follow from both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Any

from torch import Tensor

from ..components.choice import Choice
from ..components.kinds import Method
from ..errors import SettingError
from ..subjects.trained_models import TrainedModel, wrap
from ..toolkit.data import Data, Reference
from ..toolkit.ranges import MOST
from .batching import Batcher
from .cell import Cell
from .conditions import Conditions
from .costs import Cost, total
from .counts import ANY, Counted, KeptCounts
from .passes import TooManyPassesError, count_passes
from .scores import score
from .stand_in import layers_of, stand_in
from .values import Values
from .watched_code import own_components

HANDFUL = 100
"""Passes through a real network, at most, to count a component that the small one does not suit."""

Compute = Callable[[Values], object]

Combination = tuple[str, str, str, int]
"""Labels of metric and perturbation; name of the method and number of layers, where passes depend on them."""


@dataclass(frozen=True)
class Costs:
    """Passes for one sample.

    Args:
        methods: those of one explanation, by the method's label; None if they could not be counted.
        judged: those of each metric and perturbation, with the number of explanations.
    """

    methods: dict[str, Counted | None] = field(default_factory=dict)
    judged: dict[Combination, Counted | None] = field(default_factory=dict)
    _known: dict[tuple[str, Combination], Counted | None] = field(default_factory=dict, repr=False)

    def alone(self, cell: Cell) -> Cost | None:
        """Passes of one cell if it were computed alone, or None if they could not be counted."""
        counted = self._of(cell)
        return counted and counted.own + total(counted.kept.values())

    def together(self, cells: Iterable[Cell]) -> Cost:
        """Passes of several cells; values that cells of one model share count once."""
        own, kept = Cost(), {}
        for cell in cells:
            if counted := self._of(cell):
                own += counted.own
                kept.update({(cell.model.name, key): cost for key, cost in counted.kept.items()})
        return own + total(kept.values())

    def _of(self, cell: Cell) -> Counted | None:
        """What a cell needs, with the passes of its method in place of explanations."""
        label, which = cell.method.label if cell.method else "", combination(cell)
        if (label, which) not in self._known:
            judged, method = self.judged.get(which), self.methods.get(label)
            if label and judged:
                judged = method and judged.explained_by(label, method)
            self._known[label, which] = judged
        return self._known[label, which]


def probe(
    cells: Sequence[Cell],
    data: Data,
    reference: Reference | None,
    conditions: Conditions,
    others: Mapping[str, TrainedModel] | None = None,
) -> Costs:
    """Passes for one sample of each method, and of each metric and perturbation.

    They are counted on a small network, on which they are the same but for components that depend on what a network
    predicts. A component that the small network does not suit is tried on the first network that it applies to, with a
    handful of passes.

    Raises:
        SettingError: a setting makes no sense, or settings ask for more than a million passes.
        XaiboardError: a component changed what a network computes, and that cannot be put back.
    """
    costs, seen = Costs(), set()
    with ExitStack() as stack:
        counter = _Counter(stack, data, reference, conditions, others or {})
        stack.callback(counter.known.write)
        for cell in cells:
            which = (cell.method.label if cell.method else "", combination(cell))
            if cell.reason or which in seen:
                continue
            seen.add(which)
            if cell.method and which[0] not in costs.methods:
                costs.methods[which[0]] = counter.explanation(cell, cell.method)
            if which[1] not in costs.judged:
                costs.judged[which[1]] = counter.judgement(cell)
            cost = costs.alone(cell)
            if cost and cost.passes > MOST:
                raise _too_many(cell)
    return costs


def combination(cell: Cell) -> Combination:
    """What the passes of a cell depend on, beside those of its method."""
    metric, perturbation = cell.metric, cell.perturbation
    named = perturbation is not None and cell.method is not None and perturbation.needs("method")
    changes_layers = metric.component.needs("model") and metric.component.needs("explain")
    return (
        metric.label,
        perturbation.label if perturbation else "",
        cell.method.root.component.name if named and cell.method else "",
        layers_of(cell.model.module) if changes_layers else 0,
    )


class _Counter:
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

    def explanation(self, cell: Cell, method: Choice) -> Counted | None:
        """What one explanation by the method of a cell needs, or None if it cannot be counted."""
        counted = self._count(cell, [method], [], lambda values: values.attribution(method))
        if counted is None:
            return None
        explained = ("attribution", method.label)
        return Counted(
            counted.kept[explained], {key: cost for key, cost in counted.kept.items() if key != explained}
        )

    def judgement(self, cell: Cell) -> Counted | None:
        """What metric and perturbation of a cell need, whatever explains, or None if it cannot be counted."""
        *_, name, layers = combination(cell)
        method = cell.method and _AnyMethod(cell.method.component, cell.method.settings, name)

        def judge(values: Values) -> object:
            return score(values, cell.metric, method, cell.perturbation)

        choices = [choice for choice in (cell.metric, cell.perturbation) if choice]
        return self._count(cell, choices, [name, layers], judge)

    def _count(
        self, cell: Cell, choices: Sequence[Choice], further: Sequence[object], compute: Compute
    ) -> Counted | None:
        if known := self.known.get(choices, further):
            return known
        try:
            counted = _counted(self._values(max(2, combination(cell)[3])), compute, MOST)
        except TooManyPassesError:
            raise _too_many(cell) from None
        except Exception:  # the small network may not suit it
            return self._on_network(cell, compute)
        self.known.note(choices, further, counted)
        return counted

    def _on_network(self, cell: Cell, compute: Compute) -> Counted | None:
        with count_passes(cell.model.module) as passes:
            batcher = Batcher(1, self._conditions.device)
            values = _Explains(
                cell.model, self._data, self._reference, self._conditions, batcher, passes, self._others
            )
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

    def _values(self, layers: int) -> _Explains:
        if layers not in self._small:
            shape, classes = self._data.shape, len(self._data.classes)
            model, *others = (
                wrap(stand_in(shape, classes, layers), "small", lipschitz=1.0)
                for _ in range(1 + len(self._others))
            )
            passes = self._stack.enter_context(count_passes(model.module))
            self._small[layers] = _Explains(
                model,
                self._data,
                self._reference,
                replace(self._conditions, device="cpu"),
                Batcher(1, "cpu"),
                passes,
                dict(zip(self._others, others, strict=True)),
            )
        return self._small[layers]


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
        measured = memo.measured(partial(compute, values))[1]
    finally:
        memo.passes.most = inf
    return Counted(measured.own, {key: memo.cost[key] for key in measured.used})


def _too_many(cell: Cell) -> SettingError:
    choices = (cell.method, cell.metric, cell.perturbation)
    labels = "', '".join(choice.label for choice in choices if choice)
    return SettingError(
        f"one sample needs more than {MOST} passes through the model for '{labels}'; give smaller settings"
    )
