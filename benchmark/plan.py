"""The plan: every (model, method, metric, perturbation) cell, whether it applies, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from . import lipschitz
from .batching import Batcher
from .components import Choice, Metric
from .data import Data, Reference
from .errors import SettingError, XaiboardError
from .passes import count_passes
from .store import SCHEMA
from .work import Conditions, Cost, Measured, Work, total
from .zoo import TrainedModel

SHARD_BYTES = 2**27
"""Pixels of a shard, in bytes of float32: a run holds one shard of images and maps at a time."""


@dataclass(frozen=True)
class Cell:
    """One model, method, metric and perturbation; model metrics have no method.

    Args:
        samples: digest of the samples.
        reference: digest of the training split's statistics, if a component of the cell asks for them.
        reason: why the cell is inapplicable; empty when it applies.
        other: another model that the perturbation asks for.
    """

    dataset: str
    model: TrainedModel
    method: Choice | None
    metric: Choice
    perturbation: Choice | None
    samples: str
    conditions: Conditions
    reference: str = ""
    reason: str = ""
    other: TrainedModel | None = None

    @property
    def identity(self) -> dict[str, object]:
        """What could change a score; nothing of where and how fast it was computed."""
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "samples": self.samples,
            "reference": self.reference,
            "model": self.model.identity,
            "method": self.method and self.method.identity,
            "metric": self.metric.identity,
            "perturbation": self.perturbation and self.perturbation.identity,
            "seed": self.conditions.seed,
            "target": self.conditions.target,
            "dtype": self.conditions.dtype,
            **({"other_model": self.other.identity} if self.other else {}),
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
            "method_version": self.method.component.revision if self.method else "",
            "metric_version": metric.revision,
            "perturbation_version": self.perturbation.component.revision if self.perturbation else "",
            "weights": self.model.digest[:16],
            "samples": self.samples[:16],
            "reference": self.reference[:16],
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
    costs: Costs
    others: Mapping[str, TrainedModel]

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

    def cost(self, cell: Cell) -> Cost | None:
        """Passes of one cell had it been computed alone, or None if the probe raised."""
        alone = self.costs.alone(cell)
        return alone and alone * len(self.data)

    def total(self, cells: Iterable[Cell]) -> Cost:
        """Passes of several cells; what cells of one model share counts once."""
        return self.costs.together(cell for cell in cells if not cell.reason) * len(self.data)


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
) -> list[Cell]:
    """The product, in the order model, method, metric, perturbation, with the reason where a cell does not apply."""
    cells = []
    for model in models:
        for method, metric, perturbation in _product(methods, metrics, perturbations):
            reason = _inapplicable(model, method, metric, perturbation, data)
            parts = [choice for choice in (method, metric, perturbation) if choice is not None]
            statistics = (
                reference.digest if reference and any(part.needs("reference") for part in parts) else ""
            )
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
                )
            )
    return cells


@dataclass(frozen=True)
class Costs:
    """Passes for one sample.

    Args:
        cells: by method, metric and perturbation; None where the probe raised.
        kept: of the values that cells of one model share.
    """

    cells: dict[tuple[str, str, str], Measured | None]
    kept: dict[tuple[str, ...], Cost]

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
            work = _Probe(
                todo[0].model, data[:1], reference, conditions, Batcher(1, conditions.device), passes, others
            )
            for cell in todo:
                try:
                    _, measured = work.measured(
                        partial(work.score, cell.metric, cell.method, cell.perturbation)
                    )
                except SettingError:
                    raise
                except Exception:  # the run itself reports what a component raises
                    measured = None
                costs.cells[_combination(cell)] = measured
        costs.kept.update(work.cost)
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
        metric.needs(name)
        for name in (
            "attribution",
            "explain",
            "other_attribution",
            "perturbed_x",
            "perturbed_logits",
            "perturbed_attribution",
        )
    )


def needs_perturbation(metric: Metric) -> bool:
    """Whether a metric compares with a perturbed sample."""
    return any(metric.needs(name) for name in ("perturbed_x", "perturbed_logits", "perturbed_attribution"))


def missing_library(metric: Metric) -> str:
    """Why a metric cannot be computed on this machine, or nothing."""
    if not metric.library or find_spec(metric.library):
        return ""
    return f"the library '{metric.library}' is not installed; run: pip install {metric.library}"


def _inapplicable(
    model: TrainedModel, method: Choice | None, metric: Choice, perturbation: Choice | None, data: Data
) -> str:
    """Why the cell cannot be computed, or nothing."""
    if reason := missing_library(metric.component):
        return reason
    if metric.component.needs("mask") and data.mask is None:
        return "the data set has no 'mask'"
    if needs_perturbation(metric.component) and perturbation is None:
        return "no perturbation is selected"
    reasons = [choice.reason_against(model.module) for choice in (method, metric) if choice is not None]
    if perturbation is not None and method is not None and (applies := perturbation.component.applies):
        reasons.append(applies(method.root.component.name, perturbation.settings))
    if any(reasons):
        return next(filter(None, reasons))
    if metric.component.needs("certificate") or metric.component.needs("lipschitz"):
        return _uncertified(model, data, certificate=metric.component.needs("certificate"))
    return ""


def _uncertified(model: TrainedModel, data: Data, *, certificate: bool) -> str:
    """Why a model has no Lipschitz bound, or no certificate; or nothing."""
    if certificate and model.lipschitz is None:
        return "the model claims no Lipschitz constant"
    try:
        upper = lipschitz.upper_bound(model.module, data.shape)
    except XaiboardError as error:
        return f"no Lipschitz bound: {error}"
    except RuntimeError:  # the layers do not fit the images: the cell itself says how
        return ""
    if certificate and upper > 1 + lipschitz.TOLERANCE:
        return f"the model does not pass the Lipschitz audit: upper bound {upper:.6g}"
    return ""


def _combination(cell: Cell) -> tuple[str, str, str]:
    labels = (choice.label if choice else "" for choice in (cell.method, cell.metric, cell.perturbation))
    method, metric, perturbation = labels
    return method, metric, perturbation


class _Probe(Work):
    """Explains once with each method; later explanations are counted and not made."""

    def _explain(self, method: Choice, rows: slice, x: Tensor, **replaced: Any) -> Tensor:  # noqa: ANN401
        known: dict[str, tuple[float, float]] = self.__dict__.setdefault("_known", {})
        if method.label not in known:
            _ = self.target  # not the method's own cost
            before = self.passes.forward, self.passes.backward
            result = super()._explain(method, rows, x, **replaced)
            known[method.label] = self.passes.forward - before[0], self.passes.backward - before[1]
            return result
        forward, backward = known[method.label]
        self.passes.forward += forward
        self.passes.backward += backward
        return torch.zeros_like(x)
