"""A cell: one model, method, metric and perturbation, with everything that identifies its scores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..components.choice import Choice
from ..store.record import identity_digest
from ..store.records import SCHEMA
from ..subjects.trained_models import TrainedModel
from ..toolkit.labels import MetricColumn
from .conditions import Conditions


@dataclass(frozen=True)
class Cell:
    """One model, method, metric and perturbation.

    Args:
        dataset: name of the data set.
        model: the model.
        method: the method that the metric judges; None for a metric of the model alone.
        metric: the metric.
        perturbation: the perturbation, if the metric takes one.
        samples: digest of the samples.
        conditions: seed, target, dtype, device.
        reference: digest of the training split's statistics, if a component of the cell asks for them.
        reason: why the cell is inapplicable; empty if it applies.
        other: another model that the perturbation asks for.
        statistics: digest of the training split's statistics, as far as they are known, for cells with more columns,
            which may ask for them.
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
    statistics: str = ""

    @property
    def identity(self) -> dict[str, object]:
        """Everything that could change a score; nothing of where and how fast it was computed."""
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

    @cached_property
    def key(self) -> str:
        """Name of the cell's records: the metric's name and a digest of the identity."""
        return f"{self.metric.component.name}-{identity_digest(self.identity)}"

    @property
    def columns(self) -> frozenset[str]:
        """The named columns of scores that the cell has, as they stand in tables."""
        metric = self.metric.component
        names = metric.columns_without(self.metric.unread)
        return frozenset(str(MetricColumn(metric.name, name)) for name in names)

    @property
    def alternatives(self) -> list[Cell]:
        """The cell, and those with more columns, whose records have all that its own would have."""
        return [self, *(self._with(metric) for metric in self.metric.wider)]

    def _with(self, metric: Choice) -> Cell:
        """The cell with another metric."""
        asks = metric.asks_for_reference and not self.metric.asks_for_reference
        return replace(self, metric=metric, reference=self.statistics if asks else self.reference)

    @property
    def row(self) -> dict[str, object]:
        """The cell's row of ``cells.csv`` before anything is computed."""
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


def served(cells: Sequence[Cell], finished: Callable[[Collection[str]], Collection[str]]) -> list[Cell]:
    """The cells, each replaced by the one with the most columns beside its own that is finished, if there is one.

    Args:
        cells: of a plan.
        finished: says which of some keys are those of finished cells.
    """
    alternatives = [cell.alternatives for cell in cells]
    done = set(finished([each.key for all_of_cell in alternatives for each in all_of_cell]))
    return [next((each for each in reversed(found) if each.key in done), found[0]) for found in alternatives]
