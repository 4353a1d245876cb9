"""What the reference says of each component: the only file here that reads the registries."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from xaiboard.benchmark.components import registry, suites
from xaiboard.benchmark.components.kinds import Component, Dataset, Method, Metric, Model, Perturbation
from xaiboard.benchmark.engine.passes_of import price
from xaiboard.benchmark.listing.catalogue import meanings
from xaiboard.benchmark.subjects import trained_models
from xaiboard.benchmark.subjects.datasets import find_dataset
from xaiboard.benchmark.toolkit.labels import setting_text

from .docstring import sections

REGISTRIES: Mapping[str, registry.Registry[Any]] = {
    "methods": registry.methods,
    "perturbations": registry.perturbations,
    "metrics": registry.metrics,
    "models": registry.models,
    "datasets": registry.datasets,
}

DIRECTIONS = {True: "higher", False: "lower", None: "neither"}


@dataclass(frozen=True)
class Row:
    """A setting (with its default and its values) or a column (with its direction and whether models compare)."""

    name: str
    first: str
    second: str
    meaning: str


@dataclass(frozen=True)
class Entry:
    """A component, as its reference page shows it.

    Args:
        group: the family of a metric or model; empty for the other kinds.
        details: the docstring without its first line and its sections, in Markdown.
        notes: further facts, by what they are.
    """

    kind: str
    name: str
    group: str
    summary: str
    details: str
    returns: str
    source: str
    passes: str
    supplied: tuple[str, ...]
    settings: tuple[Row, ...]
    columns: tuple[Row, ...]
    notes: Mapping[str, str]


@cache
def entries(kind: str) -> tuple[Entry, ...]:
    """All components of a kind, by name; networks that differ in their seed alone are one entry."""
    known = REGISTRIES[kind]
    same: dict[object, list[Component]] = {}
    for _, component in sorted(known.items()):
        same.setdefault(component.function, []).append(component)
    return tuple(_entry(kind, *components) for components in same.values())


def suite_entries() -> list[tuple[str, Mapping[str, str | int]]]:
    """Name and content of each suite that comes with the package."""
    return [(name, suites.read(name)) for name in suites.names()]


def _entry(kind: str, component: Component, *others: Component) -> Entry:
    said = sections(inspect.getdoc(component.function) or "")
    notes: dict[str, str] = {}
    if isinstance(component, Model):
        notes["Seeds"] = ", ".join(f"`{each.name}`" for each in (component, *others))
        notes["Trained on"] = ", ".join(f"`{name}`" for name in registry.datasets if _serves(component, name))
        if component.lipschitz:
            notes["Lipschitz constant"] = f"{component.lipschitz:g} (L2, logits per unit of the image)"
    if isinstance(component, Method) and component.control:
        notes["Control"] = "a row that no useful method should lose to"
    if isinstance(component, Metric) and component.library:
        notes["Needs"] = f"the library `{component.library}`"
    if isinstance(component, Dataset) and component.remote:
        notes["Download"] = "once, unless the directory that `XAIBOARD_DATA` names has it"
    if component.version != 1:
        notes["Version"] = str(component.version)
    costly = isinstance(component, Method | Metric | Perturbation)
    return Entry(
        kind,
        component.name,
        getattr(component, "family", ""),
        said["summary"],
        said["details"],
        said["returns"],
        component.source,
        price(component) if costly else "",
        component.supplied,
        tuple(_setting(component, name) for name in component.settings),
        tuple(_columns(component)) if isinstance(component, Metric) else (),
        notes,
    )


def _setting(component: Component, name: str) -> Row:
    """Range and meaning are the setting's own where it says them, or else the docstring's."""
    setting: Any = component.settings[name]
    choices = ", ".join(f"`{setting_text(choice)}`" for choice in setting.choices)
    values = choices or getattr(setting, "range", "") or _type(setting.default)
    meaning = getattr(setting, "meaning", "") or _meaning(component, name)
    return Row(name, f"`{setting_text(setting.default)}`" if setting.default != "" else "", values, meaning)


def _type(default: object) -> str:
    kinds = {bool: "`true`, `false`", int: "whole number", float: "number", str: "word"}
    return kinds.get(type(default), "number, or none")


def _meaning(component: Component, name: str) -> str:
    """What the docstring says of a parameter, or that of another component of the kind to which it refers."""
    text = inspect.getdoc(component.function) or ""
    said = sections(text)["args"].get(name, "")
    for other in REGISTRIES["metrics"].values() if isinstance(component, Metric) and not said else ():
        if f"`{other.name}`" in text or f".{other.name}`" in text:
            said = said or sections(inspect.getdoc(other.function) or "")["args"].get(name, "")
    return said


def _columns(metric: Metric) -> list[Row]:
    said = meanings(metric)
    rows = []
    for name in ("", *metric.columns):
        column = metric.column(name)
        compares = "yes" if column.across_models else "no"
        meaning = said.get(name, "") if name else "the score itself"
        rows.append(
            Row(
                f"{metric.name}.{name}".rstrip("."),
                DIRECTIONS[column.higher_is_better],
                compares,
                meaning,
            )
        )
    return rows


def _serves(entry: Model, dataset: str) -> bool:
    takes_path = "path" in registry.datasets[dataset].supplied
    return not takes_path and trained_models.serves(entry, find_dataset(dataset)[0].name)
