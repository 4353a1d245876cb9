"""Selection patterns: ``saliency,int*,deletion[steps=64]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TypeVar

from ..errors import XaiboardError, unknown
from ..toolkit.labels import read_metric_column, split_labels
from ..toolkit.patterns import is_wild
from .choice import Choice, choose
from .kinds import Component, Metric
from .registry import Registry

C = TypeVar("C", bound=Component)

_ITEM = re.compile(r"(?P<pattern>[^\[\]]+)(?:\[(?P<settings>[^\[\]]*)\])?")


def split(patterns: str | Sequence[str]) -> list[str]:
    """The items of a comma-separated selection. Commas inside brackets separate settings, not items."""
    text = patterns if isinstance(patterns, str) else ",".join(patterns)
    return split_labels(text)


def select(registry: Registry, patterns: str | Sequence[str], *, whole: bool = True) -> list[Choice]:
    """The components that the patterns match, with their settings, in the order of the patterns; each once.

    ``deletion.win_rate[steps=64]`` is a metric with a further column, and ``deletion.*`` one with all of them.

    Args:
        registry: what there is.
        patterns: the selection.
        whole: whether a metric without a column has all of its columns; if not, it has those that cost nothing more
            than the plain score.

    Raises:
        XaiboardError: nothing is selected, a pattern matches no name, or a setting is unknown or has a wrong value.
    """
    chosen: dict[str, Choice] = {}
    for item in split(patterns):
        name, settings = parse(item)
        name, column = read_metric_column(name) if registry.kind == "metric" else (name, "")
        names = [name] if name in registry else [known for known in registry if fnmatchcase(known, name)]
        if not names:
            raise unknown(registry.kind, name, registry)
        with_column = [found for found in names if not column or _columns(registry[found], column)]
        if not with_column:
            raise unknown(f"column of metric '{name}'", column, _columns(registry[names[0]], "*"))
        for found in with_column:
            choice = choose(registry[found], settings)
            if isinstance(choice.component, Metric) and (column or not whole):
                unread = choice.component.unread(_columns(choice.component, column))
                choice = replace(choice, unread=unread)
            known = chosen.setdefault(choice.label, choice)
            chosen[choice.label] = known.beside(choice)
    if not chosen:
        raise XaiboardError(f"no {registry.kind} selected; name one of: {', '.join(sorted(registry))}")
    return list(chosen.values())


def _columns(metric: Component, pattern: str) -> list[str]:
    """The named columns of a metric that match a pattern."""
    names = metric.columns if isinstance(metric, Metric) else ()
    return [name for name in names if fnmatchcase(name, pattern)]


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
