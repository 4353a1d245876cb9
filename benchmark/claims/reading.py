"""Reads claims from a TOML file, and refuses what does not say clearly what is claimed."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..components.suites import CLAIMS
from ..errors import XaiboardError
from .declaration import ABOVE, ALL, BELOW, COMMON, HELD, NOT_TESTABLE, WITHIN, Claim, Guard, Rule
from .rules import RULES

_WORDS = {
    "holds": (ABOVE, BELOW, WITHIN), "on": (ALL, COMMON, HELD), "verdict": (NOT_TESTABLE,),
    "over": ("networks", "methods", "columns", "perturbations"),
}  # fmt: skip

_DEFAULTS: dict[type, dict[str, Any]] = {
    kind: {field.name: field.default for field in fields(kind)} for kind in (Claim, Rule, Guard)
}

_OF_CLAIM = [name for name in _DEFAULTS[Claim] if name not in ("rules", "beside")]


class _Place:
    """Where in a file something is said; it makes the sentences about mistakes."""

    def __init__(self, file: Path, claim: str, part: str = "") -> None:
        self.file, self.claim, self.part = file, claim, part

    def wrong(self, field: str, expected: str) -> XaiboardError:
        part = f" of {self.part}" if self.part else ""
        return XaiboardError(f"claims '{self.file}': '{field}'{part} of claim {self.claim} {expected}")


def read_claims(file: str | Path = CLAIMS) -> list[Claim]:
    """The claims of a file, in its order.

    Raises:
        XaiboardError: it cannot be read, or a claim says something that is no claim; the sentence names the field.
    """
    path = Path(file)
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise XaiboardError(f"claims '{path}' cannot be read ({error.strerror}); name another file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise XaiboardError(f"claims '{path}' is not TOML: {error}") from None
    entries = content.get("claim")
    if set(content) != {"claim"} or not isinstance(entries, list) or not entries:
        raise XaiboardError(
            f"claims '{path}' must have tables [[claim]] and nothing else; it has {_listed(content)}"
        )
    claims = [_claim(path, number, entry) for number, entry in enumerate(entries, 1)]
    seen: set[str] = set()
    for claim in claims:
        if claim.id in seen:
            raise _Place(path, f"'{claim.id}'").wrong("id", "is the id of two claims; give each its own")
        seen.add(claim.id)
    return claims


def _claim(path: Path, number: int, entry: object) -> Claim:
    if not isinstance(entry, Mapping):
        raise XaiboardError(f"claims '{path}': claim number {number} is no table; write [[claim]]")
    place = _Place(path, f"'{entry['id']}'" if isinstance(entry.get("id"), str) else f"number {number}")
    known = {*_OF_CLAIM, *_DEFAULTS[Rule], "also", "beside"}
    _only_known(place, entry, known)
    words = {name: _value(place, Claim, name, entry[name]) for name in _OF_CLAIM if name in entry}
    for name in ("id", "paper", "text", "version"):
        if not words.get(name):
            raise place.wrong(name, f"is missing; a claim has an {name}" if name == "id" else "is missing")
    own = {name: value for name, value in entry.items() if name in _DEFAULTS[Rule] and name != "text"}
    if words.get("verdict"):
        if own or "also" in entry or "beside" in entry:
            raise place.wrong(
                "verdict", f"stands beside '{min(own, default='also')}'; declare a verdict or a rule"
            )
        for name in ("why", "settle"):
            if not words.get(name):
                raise place.wrong(name, f"is missing; a claim that is {NOT_TESTABLE} says it")
        return Claim(**words)
    if "why" in words:
        raise place.wrong("why", f"stands without verdict = '{NOT_TESTABLE}'; leave it out, or the rule")
    rules = [_rule(place, own)]
    rules += [_rule(further, each) for further, each in _further(place, entry, own, "also")]
    beside = [_rule(further, each) for further, each in _further(place, entry, own, "beside")]
    return Claim(**words, rules=tuple(rules), beside=tuple(beside))


def _further(place: _Place, entry: Mapping[str, Any], own: Mapping[str, Any], key: str) -> list[Any]:
    """The rules of ``[[claim.also]]``: what they do not say is as in the claim, ``[]`` takes a key away."""
    tables = entry.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise place.wrong(key, f"must be tables; write [[claim.{key}]]")
    found = []
    for number, table in enumerate(tables, 1):
        at = _Place(place.file, place.claim, f"[[claim.{key}]] number {number}")
        _only_known(at, table, set(_DEFAULTS[Rule]))
        if not table.get("text"):
            raise at.wrong("text", "is missing; say in a sentence what this rule adds")
        kind = table.get("kind", own.get("kind"))
        known = RULES.get(kind) if isinstance(kind, str) else None
        kept = {"kind"} | (set(known.needs + known.takes) if known else set())
        joined = {name: value for name, value in own.items() if name in kept} | dict(table)
        found.append((at, {name: value for name, value in joined.items() if value != []}))
    return found


def _rule(place: _Place, entry: Mapping[str, Any]) -> Rule:
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in RULES:
        raise place.wrong("kind", f"must be one of {', '.join(RULES)}; got {kind!r}")
    keys = RULES[kind]
    for name in keys.needs:
        if not entry.get(name):
            raise place.wrong(name, f"is missing; a {kind} needs {', '.join(keys.needs)}")
    for name in entry:
        if name not in ("kind", "text", *keys.needs, *keys.takes):
            raise place.wrong(
                name, f"says nothing in a {kind}, which has {', '.join((*keys.needs, *keys.takes))}"
            )
    rule = Rule(**{name: _value(place, Rule, name, value) for name, value in entry.items()})
    _check(place, rule)
    return rule


def _check(place: _Place, rule: Rule) -> None:
    """Refuses rules whose keys do not go together."""
    if len(rule.a) != len(rule.b) and 1 not in (len(rule.a), len(rule.b)):
        raise place.wrong(
            "b", f"must have a twin for each of the {len(rule.a)} recipes of 'a', or one for all"
        )
    compares = RULES[rule.kind].compares
    if compares in ("methods", "columns", "perturbations") and len(two := getattr(rule, compares)) != 2:
        raise place.wrong(
            compares, f"must be two, of which the first is compared with the second; got {len(two)}"
        )
    if rule.kind == "best_of" and len(rule.methods) != 1:
        raise place.wrong("methods", f"must be one method, which 'against' rivals; got {len(rule.methods)}")
    if rule.kind == "order":
        if len(rule.order) < 2:
            raise place.wrong("order", "must have two entries at least, from the worst to the best")
        if rule.over != "columns" and not rule.columns:
            raise place.wrong("columns", "is missing; an order needs them")
        if rule.over != "networks" and not rule.networks:
            raise place.wrong("networks", f"is missing; an order over {rule.over} needs them")
        if getattr(rule, rule.over):
            raise place.wrong(rule.over, f"says nothing beside over = '{rule.over}'; 'order' has them")
    if rule.holds == WITHIN and rule.m <= 0:
        raise place.wrong(
            "m", f"must be positive where the claim is that something is within it; got {rule.m:g}"
        )
    if rule.holds != WITHIN and rule.around:
        raise place.wrong("around", f"says nothing where holds = '{rule.holds}'; it goes with '{WITHIN}'")
    perturbed = rule.perturbations or rule.over == "perturbations"
    if rule.on == HELD and not perturbed:
        raise place.wrong("on", "is 'held', but there are no perturbations")


def _value(place: _Place, kind: type, name: str, value: object) -> Any:  # noqa: ANN401 - what the field has
    """A value of the type that the field has: texts, lists of texts, numbers, words of a choice."""
    default = _DEFAULTS[kind][name]
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


def _version(place: _Place, name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise place.wrong(name, f"must be a whole number from 1; got {value!r}")
    return value


def _thresholds(place: _Place, name: str, value: object) -> tuple[float, ...]:
    return tuple(_number(place, name, each) for each in (value if isinstance(value, list) else [value]))


def _number(place: _Place, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise place.wrong(name, f"must be a number; got {value!r}")
    return float(value)


def _names(place: _Place, name: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(each, str) and each for each in names):
        raise place.wrong(name, f"must be a name or a list of names; got {value!r}")
    if name not in ("a", "b") and len(set(names)) < len(names):
        raise place.wrong(name, "has a name twice; give each once")
    return tuple(names)


def _guards(place: _Place, name: str, value: object) -> tuple[Guard, ...]:
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise place.wrong(name, f"must be a list of tables, as [{{ ceiling = 0.99 }}]; got {value!r}")
    tests = [test for test in _DEFAULTS[Guard] if test != "column"]
    found = []
    for entry in value:
        _only_known(place, entry, set(_DEFAULTS[Guard]), "a guard")
        if len(set(entry) & set(tests)) != 1:
            raise place.wrong(name, f"must each have one of {', '.join(tests)}; got {dict(entry)}")
        found.append(Guard(**{key: _value(place, Guard, key, each) for key, each in entry.items()}))
    return tuple(found)


_OWN = {"guards": _guards, "beyond": _thresholds, "version": _version}
"""What reads the values of keys that have a type of their own."""


def _only_known(place: _Place, entry: Mapping[str, object], known: set[str], what: str = "a claim") -> None:
    for name in entry:
        if name not in known:
            raise place.wrong(name, f"is no key of {what}; it may have: {', '.join(sorted(known))}")


def _listed(content: Mapping[str, object]) -> str:
    return ", ".join(map(repr, content)) or "none"
