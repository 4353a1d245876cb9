"""What the reference says of each component: the only file here that reads the catalogue and the docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from xaiboard.benchmark.components import registry, suites
from xaiboard.benchmark.listing.catalogue import read_catalogue
from xaiboard.benchmark.toolkit.score_ranges import range_from_json, range_words

from .docstring import Sections, markdown, sections

REGISTRIES: Mapping[str, Mapping[str, Any]] = {
    "methods": registry.methods,
    "perturbations": registry.perturbations,
    "metrics": registry.metrics,
    "models": registry.models,
    "datasets": registry.datasets,
}


@dataclass(frozen=True)
class Row:
    """A setting or a column.

    Args:
        facts: default and values of a setting; of a column, its direction, its range and whether models compare.
    """

    name: str
    facts: tuple[str, ...]
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
    """All built-in components of a kind, by name; networks that differ in their seed alone are one entry."""
    return tuple(_entry(kind, known) for known in read_catalogue()[kind])


def suite_entries() -> list[tuple[str, Mapping[str, str | int]]]:
    """Name and content of each suite that comes with the package."""
    return [(name, suites.read(name)) for name in suites.names()]


def _entry(kind: str, known: Mapping[str, Any]) -> Entry:
    said = _docstring(kind, known["name"])
    return Entry(
        kind,
        known["name"],
        known.get("family", ""),
        markdown(known["summary"]),
        said["details"],
        said["returns"],
        known["source"],
        known.get("passes", ""),
        tuple(known["supplied"]),
        tuple(_setting(kind, known["name"], setting) for setting in known["settings"]),
        tuple(_columns(known)),
        _notes(kind, known),
    )


def _docstring(kind: str, name: str) -> Sections:
    return sections(inspect.getdoc(REGISTRIES[kind][name].function) or "")


def _notes(kind: str, known: Mapping[str, Any]) -> Mapping[str, str]:
    notes = {}
    if known.get("control"):
        notes["Control"] = "a row that no useful method should lose to"
    if "also" in known:
        notes["Seeds"] = ", ".join(f"`{known['name']}{seed}`" for seed in ("", *known["also"]))
        notes["Trained on"] = ", ".join(f"`{name}`" for name in known["trained_on"])
    if known.get("lipschitz"):
        notes["Lipschitz constant"] = f"{known['lipschitz']:g} (L2, logits per unit of the image)"
    if library := getattr(REGISTRIES[kind][known["name"]], "library", ""):
        notes["Needs"] = f"the library `{library}`"
    if known.get("remote"):
        notes["Download"] = "once, unless the directory that `XAIBOARD_DATA` names has it"
    if known["version"] != 1:
        notes["Version"] = str(known["version"])
    return notes


def _setting(kind: str, owner: str, setting: Mapping[str, Any]) -> Row:
    """Range and meaning are the catalogue's where it has them, or else the docstring's and the default's type."""
    default = "" if "grows" in setting else f"`{setting['default']}`" if setting["default"] else ""
    choices = ", ".join(f"`{choice}`" for choice in setting["choices"])
    declared = REGISTRIES[kind][owner].settings[setting["name"]].default
    values = choices or setting["range"] or _type(declared)
    meaning = setting["meaning"] or _meaning(kind, owner, setting["name"])
    return Row(setting["name"], (default or setting.get("grows", ""), values), markdown(meaning))


def _type(default: object) -> str:
    kinds = {bool: "`true`, `false`", int: "whole number", float: "number", str: "word"}
    return next((words for kind, words in kinds.items() if isinstance(default, kind)), "number, or none")


def _meaning(kind: str, owner: str, name: str) -> str:
    """What the docstring says of a parameter, or that of another component of the kind to which it refers."""
    component = REGISTRIES[kind][owner]
    text = inspect.getdoc(component.function) or ""
    referred = [other for other in REGISTRIES[kind] if f"`{other}`" in text or f".{other}`" in text]
    found = [_docstring(kind, each)["args"].get(name, "") for each in (owner, *referred)]
    return next(filter(None, found), "")


def _columns(known: Mapping[str, Any]) -> Iterator[Row]:
    for column in known.get("columns", ()):
        direction = column["direction"].removesuffix(" is better").replace("no direction", "neither")
        meaning = markdown(column["meaning"]) if column["name"] else "the score itself"
        name = f"{known['name']}.{column['name']}".rstrip(".")
        bounds = range_words(range_from_json(column["range"]))
        yield Row(name, (direction, bounds, column["compares models"]), meaning)
