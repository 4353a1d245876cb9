"""What decides a claim, without what is said of it; and a digest that changes with every rule and margin."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from .declaration import Claim, Rule


def declared(rule: Rule) -> dict[str, Any]:
    """The keys of a rule that are not at their defaults, but for what it says in words."""
    empty = asdict(Rule(""))
    return {key: value for key, value in asdict(rule).items() if key != "text" and value != empty[key]}


def rule_digest(claim: Claim) -> str:
    """The first 12 digits of the SHA-256 of the rules that the claim depends on."""
    text = json.dumps([[declared(rule) for rule in claim.rules], claim.verdict], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
