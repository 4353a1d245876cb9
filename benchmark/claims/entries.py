"""What is claimed, without scores: what ``xaiboard list claims`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from ..toolkit.terminal import line_width
from .declaration import Claim
from .digest import declared, rule_digest
from .reading import read_claims


def claim_entries() -> list[dict[str, Any]]:
    """The claims that come with the package, as entries of a catalogue."""
    return [_entry(claim) for claim in read_claims()]


def describe_claim_entry(entry: Mapping[str, Any]) -> str:
    """All that is declared of one claim."""
    lines = [f"claim {entry['name']}: {entry['summary']}"]
    facts = ("paper", "paper_says", "version", "rule", "verdict", "why", "settle")
    lines += [f"{name.replace('_', ' ')}: {entry[name]}" for name in facts if entry[name]]
    lines += [line for rule in entry["rules"] for line in _rule(rule)]
    lines.append(f"example: xaiboard claims --only {entry['name']}")
    wrapped = (wrap(line, line_width(), subsequent_indent="    ") for line in lines)
    return "\n".join(part for line in wrapped for part in line) + "\n"


def _entry(claim: Claim) -> dict[str, Any]:
    rules = [{"says": rule.text, "counts": True, **declared(rule)} for rule in claim.rules]
    rules += [{"says": rule.text, "counts": False, **declared(rule)} for rule in claim.beside]
    return {
        "name": claim.id, "summary": claim.text, "paper": claim.paper, "paper_says": claim.paper_says,
        "version": claim.version, "rule": rule_digest(claim), "verdict": claim.verdict, "why": claim.why,
        "settle": claim.settle, "rules": rules,
    }  # fmt: skip


def _rule(rule: Mapping[str, Any]) -> Iterator[str]:
    head = "" if rule["counts"] else "beside it, "
    yield f"{head}{rule['kind']}{': ' + rule['says'] if rule['says'] else ''}"
    for name, value in rule.items():
        if name not in ("kind", "says", "counts"):
            yield f"  {name}: {_words(value)}"


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_words, value))
    if isinstance(value, Mapping):
        return " ".join(f"{name} {each}" for name, each in value.items() if each not in ("", None))
    return str(value)
