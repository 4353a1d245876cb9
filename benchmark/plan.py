"""The plan: every (model, method, metric, perturbation) cell, whether it applies, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from torch import Tensor

from . import lipschitz
from .batching import Batcher
from .components import Choice, Metric
from .data import Data, Reference
from .errors import XaiboardError
from .passes import count_passes
from .store import SCHEMA
from .work import Conditions, Cost, Work
from .zoo import TrainedModel

SHARD_BYTES = 2**27
"""Pixels of a shard, in bytes of float32: a run holds one shard of images and maps at a time."""


@dataclass(frozen=True)
class Cell:
    """One model, method, metric and perturbation; model metrics have no method.

    Args:
        reason: why the cell is inapplicable; empty when it applies.
    """

    dataset: str
    model: TrainedModel
    method: Choice | None
    metric: Choice
    perturbation: Choice | None
    samples: str
    conditions: Conditions
    reason: str = ""

    @property
    def identity(self) -> dict[str, object]:
        """What could change a score; nothing of where and how fast it was computed."""
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "samples": self.samples,
            "model": self.model.identity,
            "method": self.method and self.method.identity,
            "metric": self.metric.identity,
            "perturbation": self.perturbation and self.perturbation.identity,
            "seed": self.conditions.seed,
            "target": self.conditions.target,
            "dtype": self.conditions.dtype,
        }

    @property
    def key(self) -> str:
        """Name of the cell's records: the metric, and a digest of the identity."""
        text = json.dumps(self.identity, sort_keys=True, separators=(",", ":"))
        return f"{self.metric.component.name}-{sha256(text.encode()).hexdigest()[:16]}"

    @property
    def row(self) -> dict[str, object]:
        """The cell's row of ``cells.csv``, as planned."""
        metric = self.metric.component
        return {
            "key": self.key,
            "dataset": self.dataset,
            "model": self.model.name,
            "family": self.model.family,
            "method": self.method.label if self.method else "",
            "metric": metric.name,
            "settings": self.metric.settings_text,
            "perturbation": f"{self.perturbation.component.name}[{self.perturbation.settings_text}]"
            if self.perturbation
            else "",
            "metric_family": metric.family,
            "method_settings": self.method.settings_text if self.method else "",
            "model_version": self.model.version,
            "method_version": self.method.component.version if self.method else "",
            "metric_version": metric.version,
            "perturbation_version": self.perturbation.component.version if self.perturbation else "",
            "weights": self.model.digest[:16],
            "samples": self.samples[:16],
            "control": bool(self.method and self.method.component.control),
            "status": "inapplicable" if self.reason else "missing",
            "note": self.reason,
        }


@dataclass(frozen=True)
class Plan:
    """Everything a run needs, checked before anything is computed."""

    dataset: str
    data: Data
    reference: Reference | None
    cells: Sequence[Cell]
    conditions: Conditions
    costs: dict[str, Cost | None] = field(default_factory=dict)

    @property
    def shards(self) -> list[slice]:
        """Consecutive samples that are held in memory together."""
        size = max(1, SHARD_BYTES // (4 * self.data.x[0].numel()))
        return [slice(start, min(start + size, len(self.data))) for start in range(0, len(self.data), size)]

    @property
    def summary(self) -> dict[str, object]:
        """What tables need to know: shards, seed, rows of cells, and how each metric's columns read."""
        metrics = {cell.metric.component.name: cell.metric.component for cell in self.cells}
        return {
            "shards": len(self.shards),
            "seed": self.conditions.seed,
            "columns": {
                name: {column: asdict(metric.column(column)) for column in ("", *metric.columns)}
                for name, metric in metrics.items()
            },
            "cells": [cell.row for cell in self.cells],
        }

    @property
    def passes(self) -> Cost:
        """Passes of the whole run; what several cells share counts once."""
        return _sum(list(self.costs.values()), len(self.data))

    def cost(self, cell: Cell) -> Cost | None:
        """Passes of one cell had it been computed alone, or None if the probe failed."""
        parts = [self.costs.get(key) for key in needs(cell)]
        return None if None in parts else _sum(parts, len(self.data))


def make_cells(
    dataset: str,
    data: Data,
    models: Sequence[TrainedModel],
    methods: Sequence[Choice],
    metrics: Sequence[Choice],
    perturbations: Sequence[Choice],
    conditions: Conditions,
) -> list[Cell]:
    """The product, in the order model, method, metric, perturbation, with the reason where a cell does not apply."""
    cells = []
    for model in models:
        for method, metric, perturbation in _product(methods, metrics, perturbations):
            reason = _inapplicable(model, method, metric, perturbation, data)
            cells.append(Cell(dataset, model, method, metric, perturbation, data.digest, conditions, reason))
    return cells


def probe(cells: Sequence[Cell], data: Data, reference: Reference | None, conditions: Conditions) -> dict:
    """Passes of each computation, counted on one sample; None where the component raises.

    A method's passes are counted where it first applies and taken to be the same on every model.
    """
    one = data[:1]
    costs: dict[str, Cost | None] = {}
    explained: dict[str, float] = {}
    probes: dict[str, _Probe] = {}
    counted: dict[str, Cost | None] = {}
    for cell in cells:
        if cell.reason:
            continue
        name = cell.model.name
        if name not in probes:
            probes[name] = _Probe(cell.model, one, reference, conditions, Batcher(1, conditions.device))
        for key in needs(cell):
            if key in costs:
                continue
            general = key.removeprefix(f"{name}/")
            if general not in counted:
                counted[general], explained[general] = _count(probes[name], cell, general)
            own, calls = counted[general], explained[general]
            if own is not None and calls and cell.method is not None:
                method = counted.get(f"attribution/{cell.method.label}")
                own = method and own + Cost(0, calls * method.forward, calls * method.backward)
            costs[key] = own
    return costs


def _product(
    methods: Sequence[Choice], metrics: Sequence[Choice], perturbations: Sequence[Choice]
) -> Iterator[tuple[Choice | None, Choice, Choice | None]]:
    def pairs(wanted: bool) -> Iterator[tuple[Choice, Choice | None]]:
        for metric in metrics:
            if needs_method(metric.component) is wanted:
                takes = needs_perturbation(metric.component) and perturbations
                yield from ((metric, perturbation) for perturbation in (takes or [None]))

    yield from ((None, *pair) for pair in pairs(wanted=False))
    for method in methods:
        yield from ((method, *pair) for pair in pairs(wanted=True))


def needs_method(metric: Metric) -> bool:
    """Whether a metric judges attributions, not the model alone."""
    return any(
        metric.needs(name) for name in ("attribution", "explain", "perturbed_x", "perturbed_attribution")
    )


def needs_perturbation(metric: Metric) -> bool:
    """Whether a metric compares with a perturbed sample."""
    return metric.needs("perturbed_x") or metric.needs("perturbed_attribution")


def _inapplicable(
    model: TrainedModel, method: Choice | None, metric: Choice, perturbation: Choice | None, data: Data
) -> str:
    """Why the cell cannot be computed, or nothing."""
    if metric.component.needs("mask") and data.mask is None:
        return "the data set has no 'mask'"
    if needs_perturbation(metric.component) and perturbation is None:
        return "no perturbation is selected"
    if metric.component.needs("certificate") or metric.component.needs("lipschitz"):
        return _uncertified(model, data, certificate=metric.component.needs("certificate"))
    applies = method.component.applies if method is not None else None
    return (applies and applies(model.module)) or ""


def _uncertified(model: TrainedModel, data: Data, *, certificate: bool) -> str:
    """Why a model has no Lipschitz bound, or no certificate; or nothing."""
    if certificate and model.lipschitz is None:
        return "the model claims no Lipschitz constant"
    try:
        upper = lipschitz.upper_bound(model.module, data.shape)
    except XaiboardError as error:
        return f"no Lipschitz bound: {error}"
    if certificate and upper > 1 + lipschitz.TOLERANCE:
        return f"the model does not pass the Lipschitz audit: upper bound {upper:.6g}"
    return ""


def needs(cell: Cell) -> list[str]:
    """Names of the computations that a cell rests on; equal names are computed once."""
    model, metric = cell.model.name, cell.metric
    needs = [f"{model}/metric/{metric.label}"]
    for name, value in metric.component.shared.items():
        settings = Choice(value, {key: metric.settings[key] for key in value.settings}).settings_text
        needs.insert(0, f"{model}/shared/{name}[{settings}]")
    if cell.method is not None:
        needs.insert(0, f"{model}/attribution/{cell.method.label}")
        needs[-1] += f"/{cell.method.label}/{cell.perturbation.label if cell.perturbation else ''}"
        if cell.perturbation is not None:
            method = cell.method.label
            needs.insert(1, f"{model}/perturbed/{cell.perturbation.label}/{method}")
    return needs


class _Probe(Work):
    """Counts calls of ``explain`` instead of following them, so that each method is probed once."""

    explained = 0.0
    stubbed = False

    def _explain(self, method: Choice, rows: slice, x: Tensor) -> Tensor:
        if not self.stubbed:
            return super()._explain(method, rows, x)
        self.explained += len(x)
        return x


def _count(work: _Probe, cell: Cell, what: str) -> tuple[Cost | None, float]:
    """Passes of one computation on the probe's sample, and how many explanations it asks for."""
    work.explained = 0.0
    try:
        _ = work.target
        with count_passes(work.model) as passes:
            if what.startswith("attribution/") and cell.method:
                work.attribution(cell.method)
            else:
                work.stubbed = True
                if what.startswith("shared/"):
                    work.shared(cell.metric, what.removeprefix("shared/").partition("[")[0])
                elif what.startswith("perturbed/") and cell.perturbation and cell.method:
                    work.perturbed_attribution(cell.perturbation, cell.method)
                    work.held(cell.perturbation, cell.method)
                else:
                    work.score(cell.metric, cell.method, cell.perturbation)
    except Exception:
        return None, 0.0
    finally:
        work.stubbed = False
    return Cost(0, passes.forward, passes.backward), work.explained


def _sum(costs: Sequence[Cost | None], n: int) -> Cost:
    known = [cost for cost in costs if cost is not None]
    return Cost(0, n * sum(cost.forward for cost in known), n * sum(cost.backward for cost in known))
