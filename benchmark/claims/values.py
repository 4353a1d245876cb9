"""Values of the keys of a declaration: of the right type, or a sentence that names file, claim and field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import XaiboardError
from ..toolkit.patterns import read_pattern
from .declaration import ABOVE, ALL, BELOW, COMMON, HELD, NOT_TESTABLE, WITHIN, Claim, Guard, Rule

_WORDS = {
    "holds": (ABOVE, BELOW, WITHIN), "on": (ALL, COMMON, HELD), "verdict": (NOT_TESTABLE,),
    "over": ("networks", "methods", "columns", "perturbations"),
}  # fmt: skip

DEFAULTS: dict[type, dict[str, Any]] = {
    kind: {field.name: field.default for field in fields(kind)} for kind in (Claim, Rule, Guard)
}
"""The keys of each, with their defaults."""

OF_CLAIM = [name for name in DEFAULTS[Claim] if name not in ("rules", "beside")]
"""Keys of a claim that are not of a rule."""


class Place:
    """Where in a file something is said; it makes the sentences about mistakes.

    Args:
        file: the file.
        claim: the claim, as it is named in a sentence.
        part: of the claim; empty for itself.
    """

    def __init__(self, file: Path, claim: str, part: str = "") -> None:
        self.file, self.claim, self.part = file, claim, part

    def wrong(self, field: str, expected: str) -> XaiboardError:
        """A mistake: what is expected of a field."""
        part = f" of {self.part}" if self.part else ""
        return XaiboardError(f"claims '{self.file}': '{field}'{part} of claim {self.claim} {expected}")


def read_value(place: Place, kind: type, name: str, value: object) -> Any:  # noqa: ANN401 - what the field has
    """A value of the type that the field has: texts, lists of texts, numbers, words of a choice."""
    default = DEFAULTS[kind][name]
    if name in _OWN:
        return _OWN[name](place, name, value)
    if isinstance(default, tuple):
        return _names(place, name, value)
    if isinstance(default, float) or default is None:
        return _number(place, name, value)
    if isinstance(default, bool) and not isinstance(value, bool):
        raise place.wrong(name, f"must be true or false; got {value!r}")
    if isinstance(default, str) and (not isinstance(value, str) or not value):
        raise place.wrong(name, f"must be a text; got {value!r}")
    if name in _WORDS and value not in _WORDS[name]:
        raise place.wrong(name, f"must be one of {', '.join(_WORDS[name])}; got {value!r}")
    return value


def _version(place: Place, name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise place.wrong(name, f"must be a whole number from 1; got {value!r}")
    return value


def _thresholds(place: Place, name: str, value: object) -> tuple[float, ...]:
    return tuple(_number(place, name, each) for each in (value if isinstance(value, list) else [value]))


def _number(place: Place, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise place.wrong(name, f"must be a number; got {value!r}")
    return float(value)


def _names(place: Place, name: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(each, str) and each for each in names):
        raise place.wrong(name, f"must be a name or a list of names; got {value!r}")
    for each in names:
        try:
            read_pattern(each)
        except XaiboardError as error:
            raise place.wrong(name, f"cannot be read: {error}") from None
    if name not in ("a", "b") and len(set(names)) < len(names):
        raise place.wrong(name, "has a name twice; give each once")
    return tuple(names)


def _guards(place: Place, name: str, value: object) -> tuple[Guard, ...]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise place.wrong(name, f"must be a list of tables, as [{{ ceiling = 0.99 }}]; got {value!r}")
    tests = [test for test in DEFAULTS[Guard] if test != "column"]
    found = []
    for entry in value:
        only_known(place, entry, set(DEFAULTS[Guard]), "a guard")
        if len(set(entry) & set(tests)) != 1:
            raise place.wrong(name, f"must each have one of {', '.join(tests)}; got {dict(entry)}")
        found.append(Guard(**{key: read_value(place, Guard, key, each) for key, each in entry.items()}))
    return tuple(found)


_OWN = {"guards": _guards, "beyond": _thresholds, "version": _version}
"""What reads the values of keys that have a type of their own."""


def only_known(place: Place, entry: Mapping[str, object], known: set[str], what: str = "a claim") -> None:
    """Refuses keys that do not exist."""
    for name in entry:
        if name not in known:
            raise place.wrong(name, f"is no key of {what}; it may have: {', '.join(sorted(known))}")
