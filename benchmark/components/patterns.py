"""Selection patterns: ``saliency,int*,deletion[steps=64]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from ..errors import XaiboardError, unknown
from ..toolkit.labels import split_labels
from ..toolkit.patterns import is_wild
from .choice import Choice, choose
from .kinds import Component
from .registry import Registry

C = TypeVar("C", bound=Component)

_ITEM = re.compile(r"(?P<pattern>[^\[\]]+)(?:\[(?P<settings>[^\[\]]*)\])?")


def split(patterns: str | Sequence[str]) -> list[str]:
    """The items of a comma-separated selection. Commas inside brackets separate settings, not items."""
    text = patterns if isinstance(patterns, str) else ",".join(patterns)
    return split_labels(text)


def select(registry: Registry, patterns: str | Sequence[str]) -> list[Choice]:
    """The components that the patterns match, with their settings, in the order of the patterns; each once.

    Raises:
        XaiboardError: nothing is selected, a pattern matches no name, or a setting is unknown or has a wrong value.
    """
    chosen: dict[str, Choice] = {}
    for item in split(patterns):
        name, settings = parse(item)
        names = [name] if name in registry else [known for known in registry if fnmatchcase(known, name)]
        if not names:
            raise unknown(registry.kind, name, registry)
        for found in names:
            choice = choose(registry[found], settings)
            chosen.setdefault(choice.label, choice)
    if not chosen:
        raise XaiboardError(f"no {registry.kind} selected; name one of: {', '.join(sorted(registry))}")
    return list(chosen.values())


def parse(item: str) -> tuple[str, dict[str, object]]:
    """Name and settings of ``name[key=value,...]``.

    Raises:
        XaiboardError: brackets or equal signs out of place, or a setting twice.
    """
    match = _ITEM.fullmatch(item)
    pairs = [pair.partition("=") for pair in (match["settings"] or "").split(",") if pair] if match else []
    if not match or any(not sign or not key.strip() for key, sign, _ in pairs):
        raise XaiboardError(f"cannot read '{item}'; write name or name[setting=value,setting=value]")
    settings: dict[str, object] = {key.strip(): value.strip() for key, _, value in pairs}
    if len(settings) < len(pairs):
        raise XaiboardError(f"'{item}' has a setting twice; give each once")
    return match["pattern"].strip(), settings


def select_by(
    registry: Registry, patterns: str | Sequence[str], keep: Callable[[Component], bool]
) -> list[Choice]:
    """As :func:`select`, but wildcards match only components that ``keep`` accepts; a full name always counts."""
    chosen: dict[str, Choice] = {}
    for item in split(patterns):
        for choice in select(registry, item):
            if not is_wild(item) or keep(choice.component):
                chosen.setdefault(choice.label, choice)
    return list(chosen.values())
