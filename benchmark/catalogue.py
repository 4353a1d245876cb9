"""What can be selected: the registries as text."""

from __future__ import annotations

import pandas as pd

from . import suites, zoo
from .components import Component, Metric, Model, choose
from .data import find_dataset
from .registry import datasets, methods, metrics, models, perturbations
from .report import markdown

_DIRECTIONS = {True: "higher is better", False: "lower is better", None: "no direction"}


def describe(kind: str) -> str:
    """The components of one kind: name with default settings, what it is, source."""
    if kind == "suites":
        rows = [
            {"suite": name, "what it is": suites.read(name).get("description", "")} for name in suites.names()
        ]
        return f"suites\n{markdown(pd.DataFrame(rows))}"
    registry = {
        "models": models, "methods": methods, "metrics": metrics, "perturbations": perturbations, "datasets": datasets,
    }[kind]  # fmt: skip
    same: dict[object, list[Component]] = {}
    for _, entry in sorted(
        registry.items()
    ):  # a network that was trained with several seeds has several names
        same.setdefault(entry.function, []).append(entry)
    rows = [_row(*entries) for entries in same.values()]
    return f"{kind}\n{markdown(pd.DataFrame(rows))}"


def _row(entry: Component, *others: Component) -> dict[str, str]:
    settings = choose(entry).settings_text
    row = {"name": entry.name + (f"[{settings}]" if settings else "")}
    if isinstance(entry, Metric):
        row |= {"family": entry.family, "direction": _DIRECTIONS[entry.higher_is_better]}
        row["columns"] = ", ".join(entry.columns)
    if isinstance(entry, Model):
        row |= {
            "also": ", ".join(other.name.removeprefix(entry.name) for other in others),
            "family": entry.family,
            "trained on": ", ".join(name for name in datasets if _serves(entry, name)),
        }
    return {**row, "what it is": entry.summary, "source": entry.source}


def _serves(entry: Model, dataset: str) -> bool:
    return "path" not in datasets[dataset].supplied and zoo.serves(entry, find_dataset(dataset)[0].name)
