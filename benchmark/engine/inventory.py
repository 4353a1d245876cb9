"""Every registered component as plain data, with its passes: the catalogue that ``xaiboard list`` prints."""

from __future__ import annotations

from typing import Any

from ..components.description import describe_component
from ..components.kinds import Component, Method, Metric, Model, Perturbation
from ..components.registry import Registry, datasets, methods, metrics, models, perturbations
from ..subjects.datasets import find_dataset
from ..subjects.trained_models import serves
from .passes_of import passes_of

KINDS: dict[str, Registry] = {
    "models": models, "methods": methods, "metrics": metrics, "perturbations": perturbations, "datasets": datasets,
}  # fmt: skip


def inventory(kinds: tuple[str, ...] = tuple(KINDS)) -> dict[str, list[dict[str, Any]]]:
    """Entries of each of the ``kinds``, sorted by name; models that differ in their training's seed alone are one."""
    return {kind: _entries(KINDS[kind]) for kind in kinds}


def _entries(registry: Registry) -> list[dict[str, Any]]:
    by_function: dict[object, list[Component]] = {}
    for _, entry in sorted(registry.items()):
        by_function.setdefault(entry.function, []).append(entry)
    return [_entry(*entries) for entries in by_function.values()]


def _entry(first: Component, *others: Component) -> dict[str, Any]:
    """The entry of components that share a function: that of the first, with the suffixes of the other names."""
    described = describe_component(first)
    if isinstance(first, Method | Metric | Perturbation):
        described["passes"] = passes_of(first)
    if isinstance(first, Model):
        described["also"] = [other.name.removeprefix(first.name) for other in others]
        described["trained_on"] = [name for name in sorted(datasets) if _serves(first, name)]
    return described


def _serves(entry: Model, dataset: str) -> bool:
    return "path" not in datasets[dataset].supplied and serves(entry, find_dataset(dataset)[0].name)
