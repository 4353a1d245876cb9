"""The plan: every (model, method, metric, perturbation) cell, whether it applies, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from ..components.choice import Choice
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data, Reference
from ..toolkit.labels import MetricColumn
from . import said
from .applies import needs_method, needs_perturbation, own_checks, reason_against
from .cell import Cell
from .conditions import Conditions
from .costs import Cost
from .probe import Costs

SHARD_BYTES = 2**27
"""Size of a shard: bytes of its images in float32. A run holds images and attributions of one shard at a time."""


@dataclass(frozen=True)
class Plan:
    """Everything a run needs, checked before anything is computed.

    Args:
        dataset: name of the data set.
        data: the samples.
        reference: statistics of the training split, or None if no component asks for them.
        cells: all planned cells, also those that do not apply.
        conditions: seed, target, dtype, device.
        costs: passes for one sample.
        others: further models by name, for perturbations that ask for one.
        outputs: what the networks and functions compute on a few fixed inputs, as ``run.json`` keeps it.
    """

    dataset: str
    data: Data
    reference: Reference | None
    cells: Sequence[Cell]
    conditions: Conditions
    costs: Costs
    others: Mapping[str, TrainedModel]
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def shards(self) -> list[slice]:
        """Consecutive samples that are held in memory together and whose scores are written to one file a cell."""
        size = shard_size(self.data)
        return [slice(start, min(start + size, len(self.data))) for start in range(0, len(self.data), size)]

    @property
    def run_conditions(self) -> dict[str, object]:
        """What all cells in the folder of a run must have in common."""
        conditions = self.conditions
        return {
            "seed": conditions.seed,
            "target": conditions.target,
            "dtype": conditions.dtype,
            "samples": len(self.data),
        }

    @property
    def summary(self) -> dict[str, object]:
        """What tables need to know: shards, seed, rows of cells, how each metric's columns read, what names say."""
        metrics = {cell.metric.component.name: cell.metric.component for cell in self.cells}
        columns = {column for cell in self.cells for column in cell.columns}
        rows = [cell.row for cell in self.cells]
        return {
            "shards": len(self.shards),
            "seed": self.conditions.seed,
            "columns": {
                name: {
                    column: said.reading(metric.column(column))
                    for column in ("", *metric.columns)
                    if not column or str(MetricColumn(name, column)) in columns
                }
                for name, metric in metrics.items()
            },
            "labels": said.labels(self.cells, rows),
            "roles": said.roles(self.cells),
            "sources": said.sources(self.dataset, self.cells),
            "cells": rows,
        }

    def cost(self, cell: Cell) -> Cost | None:
        """Passes of one cell if it were computed alone, or None if the probe raised."""
        alone = self.costs.alone(cell)
        return alone and alone * len(self.data)

    def total(self, cells: Iterable[Cell]) -> Cost:
        """Passes of several cells; values that cells of one model share count once."""
        return self.costs.together(cell for cell in cells if not cell.reason) * len(self.data)


def shard_size(data: Data) -> int:
    """Number of samples that are held in memory together."""
    return max(1, min(len(data), SHARD_BYTES // (4 * prod(data.shape))))


def make_cells(
    dataset: str,
    data: Data,
    models: Sequence[TrainedModel],
    methods: Sequence[Choice],
    metrics: Sequence[Choice],
    perturbations: Sequence[Choice],
    conditions: Conditions,
    reference: Reference | None = None,
    others: Mapping[str, TrainedModel] | None = None,
    no_reference: str = "",
) -> list[Cell]:
    """All cells of the selected components, each with the reason if it does not apply.

    In the order model, method, metric, perturbation. Metrics of the model alone come before the methods.
    ``no_reference`` says why there are no statistics of the training split, where a component asks for them.
    """
    cells = []
    for model in models:
        own_check = own_checks(model, data)
        for method, metric, perturbation in _combinations(methods, metrics, perturbations):
            reason = reason_against(model, method, metric, perturbation, data, own_check)
            parts = [choice for choice in (method, metric, perturbation) if choice is not None]
            asked = any(part.asks_for_reference for part in parts)
            may_ask = any(part.needs("reference") for part in parts)
            statistics = reference.digest if reference and (asked or (reference.of_all and may_ask)) else ""
            reason = reason or (no_reference if asked else "")
            other = (others or {}).get(perturbation.other_model) if perturbation else None
            cells.append(
                Cell(
                    dataset,
                    model,
                    method,
                    metric,
                    perturbation,
                    data.digest,
                    conditions,
                    statistics,
                    reason,
                    other,
                    reference.digest if reference else "",
                )
            )
    return cells


def _combinations(
    methods: Sequence[Choice], metrics: Sequence[Choice], perturbations: Sequence[Choice]
) -> Iterator[tuple[Choice | None, Choice, Choice | None]]:
    """Method, metric and perturbation of each cell of a model; None for what the metric does not take.

    A metric that takes a perturbation gets a cell without one if none is selected: the report says why it is empty.
    """

    def with_perturbations(*, judges_methods: bool) -> Iterator[tuple[Choice, Choice | None]]:
        for metric in metrics:
            if needs_method(metric.component) is judges_methods:
                taken = perturbations if needs_perturbation(metric.component) else []
                yield from ((metric, perturbation) for perturbation in (taken or [None]))

    yield from ((None, *pair) for pair in with_perturbations(judges_methods=False))
    for method in methods:
        yield from ((method, *pair) for pair in with_perturbations(judges_methods=True))
