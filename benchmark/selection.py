"""Patterns and objects that a user gives, as components and models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from torch import nn

from .components import registry
from .components.captum_objects import as_method, is_captum_object
from .components.choice import Choice, choose
from .components.decorators import LONGEST
from .components.kinds import Component, Model
from .components.patterns import select, select_by, split
from .components.registry import Registry
from .errors import XaiboardError
from .subjects.code_digest import code_digest
from .subjects.named_networks import is_named, read_named
from .subjects.trained_models import serves
from .subjects.weights_file import refuse_pickles
from .toolkit.arguments import shown

Selection = str | Mapping[str, Any] | Iterable[Any] | Callable[..., Any]
"""A pattern, an object, several patterns and objects, or objects by name."""

Make = Callable[..., Component]
"""Makes an unregistered component of a function."""


def choose_components(known: Registry, make: Make, given: Selection, *, whole: bool = True) -> list[Choice]:
    """Choices from patterns and objects; an object that is registered is its entry.

    Args:
        known: what is registered.
        make: what makes an entry of a function.
        given: patterns and objects.
        whole: whether a metric without a column has all of its columns, as in suites (:func:`select`).

    Raises:
        XaiboardError: neither a pattern nor a function, or two functions have one name.
    """
    choices: dict[str, Choice] = {}
    for name, item in _items(known.kind, given):
        of_object = [] if isinstance(item, str) else [choose(_entry(known, make, item, name))]
        found = of_object or select(known, item, whole=whole)
        for choice in found:
            old = choices.setdefault(choice.label, choice)
            choices[choice.label] = old.beside(choice)
            if old.component.function is not choice.component.function:
                raise XaiboardError(
                    f"two {known.kind}s named '{choice.component.name}'; give a mapping of names to functions"
                )
    return list(choices.values())


def choose_models(given: Selection | None, usual: str, dataset: str) -> dict[str, Model | nn.Module]:
    """Entries and modules by name; wildcards, and the suite's ``usual`` list, keep those trained on ``dataset``.

    Raises:
        XaiboardError: none is left, or two modules have one name.
    """

    def trained_here(entry: Component) -> bool:
        return serves(registry.models[entry.name], dataset)

    if given is None:
        entries = [
            choice.component for choice in select(registry.models, usual) if trained_here(choice.component)
        ]
        if not entries:
            raise XaiboardError(
                f"no model of the suite is trained on {dataset}; name one with --models, your own or a library's, such"
                " as timm:resnet18.a1_in1k"
            )
        return {entry.name: entry for entry in entries}
    items = _items("model", given)
    chosen: dict[str, Model | nn.Module] = {}
    for name, item in items:
        if isinstance(item, nn.Module):
            found: dict[str, Model | nn.Module] = {
                _own_name(type(item).__name__ if name is None else name): item
            }
        elif isinstance(item, str) and is_named(item):
            entry = read_named(item)
            found = {entry.name: entry}
        elif isinstance(item, str):
            refuse_pickles(item)
            entries = [choice.component for choice in select_by(registry.models, item, trained_here)]
            found = {entry.name: entry for entry in entries}
        else:
            refuse_pickles(str(item))
            raise XaiboardError(f"a model must be a pattern or an nn.Module; got {shown(item)}")
        for label, model in found.items():
            if chosen.setdefault(label, model) != model:
                raise XaiboardError(f"two models named '{label}'; give a mapping of names to modules")
    if not chosen:
        typed = f" ({', '.join(str(item) for _, item in items)})" if items else ""
        raise XaiboardError(f"no selected model{typed} is trained on {dataset}; see 'xaiboard list models'")
    return chosen


def _items(kind: str, given: Selection) -> list[tuple[str | None, Any]]:
    """Patterns, and objects with the names that they were given.

    Raises:
        XaiboardError: a text without a pattern, a name that is no text, or one for what has another one already.
    """
    if isinstance(given, str):
        if given.strip() and not split(given):
            raise XaiboardError(
                f"no {kind} is named in {shown(given)}; give patterns with commas between them"
            )
        return [(None, pattern) for pattern in split(given)]
    if not isinstance(given, Mapping):
        return [(None, item) for item in ([given] if callable(given) or is_captum_object(given) else given)]
    for name, item in given.items():
        if not isinstance(name, str) or (isinstance(item, str) and item != name):
            raise XaiboardError(
                f"a mapping of {kind}s has texts for objects; got {shown(name)} for {shown(item)}; give patterns in"
                " a list"
            )
    return list(given.items())


def _own_name(name: str) -> str:
    """The name of a module that was given as an object, if it can stand in tables.

    Raises:
        XaiboardError: it cannot, or it is that of a registered model.
    """
    if name in registry.models:
        raise XaiboardError(
            f"model '{name}' is registered, and the module given is another; give it another name"
        )
    plain = name.isprintable() and name == name.strip() and not set(name) & set(",[]")
    if not plain or not 0 < len(name.encode()) <= LONGEST:
        raise XaiboardError(
            f"model name {shown(name)} must have 1 to {LONGEST} bytes that can be shown, no space around them, and no"
            " comma or bracket"
        )
    return name


def _entry(known: Registry, make: Make, item: Callable[..., Any], name: str | None) -> Component:
    """The entry of a registered function, or a new one that its code identifies."""
    for entry in known.values():
        if entry.function is item and name in (None, entry.name):
            return entry
    if known is registry.methods and is_captum_object(item):
        function, code = as_method(item)
        return replace(make(function, name=name or type(item).__name__), code=code)
    name = name or getattr(item, "__name__", None)
    if not callable(item) or name is None:
        raise XaiboardError(
            f"{known.kind} {shown(item)} is no named function; give a mapping of names to functions"
        )
    made = make(item, name=name)
    if made.name in known:
        raise XaiboardError(
            f"{known.kind} '{made.name}' is registered, and the function given is another; give it another name"
        )
    return replace(made, code=code_digest(item))


def no_object(function: Callable[..., Any], name: str | None = None) -> Component:
    """Refuses objects where only registered components will do.

    Raises:
        XaiboardError: always.
    """
    raise XaiboardError(f"register '{name}' with @perturbation, then name it")
