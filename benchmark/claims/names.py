"""What a declared name means: the component with these settings, and with the defaults of those that are not named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from ..errors import XaiboardError, unknown
from ..listing.catalogue import read_catalogue
from ..toolkit.labels import Label, read_metric_column
from ..toolkit.patterns import read_pattern


class Setting(NamedTuple):
    """A setting of a built-in component.

    Args:
        default: its text.
        grows: whether it grows with the image, so that the text is that of the smallest images alone.
    """

    default: str
    grows: bool


@cache
def known_settings(kind: str) -> Mapping[str, Mapping[str, Setting]]:
    """The settings of the built-in components of a kind, ``methods``, ``metrics`` or ``perturbations``."""
    return {
        entry["name"]: {
            setting["name"]: Setting(str(setting["default"]), "grows" in setting)
            for setting in entry.get("settings", ())
        }
        for entry in read_catalogue()[kind]
    }


def read_name(kind: str, text: str) -> Label:
    """A declared name.

    Raises:
        XaiboardError: it is no name, or has a setting that the built-in component of that name has not.
    """
    label = read_pattern(text)
    known = known_settings(kind).get(component(kind, label))
    for setting in label.settings:
        if known is not None and setting not in known:
            raise unknown(f"setting of {component(kind, label)}", setting, known)
    return label


def component(kind: str, label: Label) -> str:
    """The name of the component: that of the metric, where the label is one of its columns."""
    return read_metric_column(label.name).metric if kind == "metrics" else label.name


def meant(kind: str, text: str, labels: Mapping[str, Label]) -> list[str]:
    """The texts that a declared name means, of those in the tables of a run.

    Args:
        kind: ``methods``, ``metrics`` or ``perturbations``.
        text: the declared name.
        labels: name and settings behind each text.

    Raises:
        XaiboardError: it may mean several, because its settings are not all named.
    """
    wanted = read_name(kind, text)
    defaults = known_settings(kind).get(component(kind, wanted), {})
    found = [
        each
        for each, label in labels.items()
        if label.name == wanted.name and _same(wanted.settings, label.settings, defaults)
    ]
    if len(found) > 1:
        raise XaiboardError(f"'{text}' of a claim may mean any of {_listed(found)}; name all of its settings")
    return found


def _same(wanted: Mapping[str, str], found: Mapping[str, str], defaults: Mapping[str, Setting]) -> bool:
    """Whether settings are those that are wanted; one that is at its default may be missing in either."""
    for name in {*wanted, *found}:
        default = defaults.get(name)
        one = wanted.get(name, default and default.default)
        other = found.get(name, default and default.default)
        free = name not in wanted and (default is None or default.grows)
        if not free and not _equal(one, other):
            return False
    return True


def _equal(one: str | None, other: str | None) -> bool:
    if one == other:
        return True
    try:
        return float(one or "") == float(other or "")
    except ValueError:
        return False


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(texts)))
