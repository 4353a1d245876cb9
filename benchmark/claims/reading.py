"""Reads claims from a TOML file, and refuses what does not say clearly what is claimed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..components.suites import CLAIMS
from ..errors import XaiboardError
from .coherence import check_rule
from .declaration import NOT_TESTABLE, Claim, Rule
from .rules import RULES
from .values import DEFAULTS, OF_CLAIM, Place, only_known, read_value


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
            raise Place(path, f"'{claim.id}'").wrong("id", "is the id of two claims; give each its own")
        seen.add(claim.id)
    return claims


def _claim(path: Path, number: int, entry: object) -> Claim:
    if not isinstance(entry, Mapping):
        raise XaiboardError(f"claims '{path}': claim number {number} is no table; write [[claim]]")
    place = Place(path, f"'{entry['id']}'" if isinstance(entry.get("id"), str) else f"number {number}")
    known = {*OF_CLAIM, *DEFAULTS[Rule], "also", "beside"}
    only_known(place, entry, known)
    words = {name: read_value(place, Claim, name, entry[name]) for name in OF_CLAIM if name in entry}
    for name in ("id", "paper", "text", "version"):
        if not words.get(name):
            raise place.wrong(name, f"is missing; a claim has an {name}" if name == "id" else "is missing")
    own = {name: value for name, value in entry.items() if name in DEFAULTS[Rule] and name != "text"}
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


def _further(place: Place, entry: Mapping[str, Any], own: Mapping[str, Any], key: str) -> list[Any]:
    """The rules of ``[[claim.also]]``: what they do not say is as in the claim, ``[]`` takes a key away."""
    tables = entry.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        raise place.wrong(key, f"must be tables; write [[claim.{key}]]")
    found = []
    for number, table in enumerate(tables, 1):
        at = Place(place.file, place.claim, f"[[claim.{key}]] number {number}")
        only_known(at, table, set(DEFAULTS[Rule]))
        if not table.get("text"):
            raise at.wrong("text", "is missing; say in a sentence what this rule adds")
        kind = table.get("kind", own.get("kind"))
        known = RULES.get(kind) if isinstance(kind, str) else None
        kept = {"kind"} | (set(known.needs + known.takes) if known else set())
        joined = {name: value for name, value in own.items() if name in kept} | dict(table)
        found.append((at, {name: value for name, value in joined.items() if value != []}))
    return found


def _rule(place: Place, entry: Mapping[str, Any]) -> Rule:
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
    rule = Rule(**{name: read_value(place, Rule, name, value) for name, value in entry.items()})
    check_rule(place, rule)
    return rule


def _listed(content: Mapping[str, object]) -> str:
    return ", ".join(map(repr, content)) or "none"
