"""The passes that each cell will need, counted on a small network before the run: planning costs the networks nothing.

Methods are counted by themselves, and so are metrics and perturbations, of which it is counted how many images they
explain: a cell's passes follow from both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from ..errors import SettingError
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data, Reference
from ..toolkit.ranges import MOST
from .cell import Cell
from .class_maps import LOGITS, MAPS
from .conditions import Conditions
from .costs import Cost, total
from .counter import Counter
from .counts import Counted
from .memo import Key
from .passes import TooManyPassesError
from .stand_in import layers_of

Combination = tuple[str, str, str, int]
"""Labels of metric and perturbation; name of the method and number of layers, where passes depend on them."""


@dataclass(frozen=True)
class Costs:
    """Passes for one sample.

    Args:
        methods: those of one explanation, by the method's label; None if they could not be counted.
        judged: those of each metric and perturbation, with the number of explanations.
        shard: number of samples that share what is computed once, however many they are.
    """

    methods: dict[str, Counted | None] = field(default_factory=dict)
    judged: dict[Combination, Counted | None] = field(default_factory=dict)
    shard: int = 1
    _known: dict[tuple[str, Combination], Counted | None] = field(default_factory=dict, repr=False)

    def alone(self, cell: Cell) -> Cost | None:
        """Passes of one cell if it were computed alone, or None if they could not be counted."""
        counted = self._of(cell)
        return counted and counted.own + total(map(self._of_one, counted.kept, counted.kept.values()))

    def together(self, cells: Iterable[Cell]) -> Cost:
        """Passes of several cells; values that cells of one model share count once."""
        own, kept = Cost(), {}
        for cell in cells:
            if counted := self._of(cell):
                own += counted.own
                kept.update({(cell.model.name, key): cost for key, cost in counted.kept.items()})
        return own + total(self._of_one(key[1], cost) for key, cost in kept.items())

    def _of_one(self, key: Key, cost: Cost) -> Cost:
        """The part of a kept value's cost that one sample has to bear."""
        return cost * (1 / self.shard) if key[0] in (LOGITS, MAPS) else cost

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
    shard: int = 1,
) -> Costs:
    """Passes for one sample of each method, and of each metric and perturbation.

    They are counted on a small network, on which they are the same but for components that depend on what a network
    predicts. A component that the small network does not suit is tried on the first network that it applies to, with a
    handful of passes.

    What is computed once for all samples of a shard is spread over their number, ``shard``.

    Raises:
        SettingError: a setting makes no sense, or settings ask for more than a million passes.
        XaiboardError: a component changed what a network computes, and that cannot be put back.
    """
    costs, seen = Costs(shard=shard), set()
    with ExitStack() as stack:
        counter = Counter(stack, data, reference, conditions, others or {})
        stack.callback(counter.known.write)
        for cell in cells:
            which = (cell.method.label if cell.method else "", combination(cell))
            if cell.reason or which in seen:
                continue
            seen.add(which)
            try:
                if cell.method and which[0] not in costs.methods:
                    costs.methods[which[0]] = counter.explanation(cell, cell.method)
                if which[1] not in costs.judged:
                    costs.judged[which[1]] = counter.judgement(cell, *which[1][2:])
            except TooManyPassesError:
                raise _too_many(cell) from None
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


def _too_many(cell: Cell) -> SettingError:
    choices = (cell.method, cell.metric, cell.perturbation)
    labels = "', '".join(choice.label for choice in choices if choice)
    return SettingError(
        f"one sample needs more than {MOST} passes through the model for '{labels}'; give smaller settings"
    )
