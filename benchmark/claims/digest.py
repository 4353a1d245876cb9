"""A digest of what decides a claim: it changes with every rule and margin, and not with what is said of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from .declaration import Claim


def rule_digest(claim: Claim) -> str:
    """The first 12 digits of the SHA-256 of the rules that the claim depends on, without keys at their defaults."""
    rules = [
        {key: value for key, value in asdict(rule).items() if key != "text" and value not in ((), "", False)}
        for rule in claim.rules
    ]
    text = json.dumps([rules, claim.verdict], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
