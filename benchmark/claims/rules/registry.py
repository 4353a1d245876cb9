"""Kinds of rules by name, and which keys a declaration of each has."""

from __future__ import annotations

from dataclasses import dataclass

SELECT = ("datasets", "methods", "columns", "perturbations", "on", "lower", "beyond", "guards")
"""Keys that say which scores are looked at."""

MARGIN = ("m", "holds", "around")
"""Keys that say what would count as true."""


@dataclass(frozen=True)
class Keys:
    """Keys of the declaration of one kind of rule.

    Args:
        needs: without which it says nothing.
        takes: which it may have.
    """

    needs: tuple[str, ...]
    takes: tuple[str, ...]


KEYS = {
    "pair": Keys(("datasets", "a", "b", "columns"), (*SELECT, *MARGIN)),
    "pair_methods": Keys(("datasets", "networks", "columns", "methods"), (*SELECT, *MARGIN)),
    "pair_columns": Keys(("datasets", "networks", "columns"), (*SELECT, *MARGIN)),
    "pair_perturbations": Keys(
        ("datasets", "networks", "columns", "methods", "perturbations"), (*SELECT, *MARGIN)
    ),
    "best_of": Keys(("datasets", "a", "b", "columns", "methods", "against"), (*SELECT, *MARGIN)),
    "order": Keys(("datasets", "order"), (*SELECT, *MARGIN, "over", "networks")),
    "level": Keys(("datasets", "networks", "columns"), (*SELECT, *MARGIN)),
    "share": Keys(("datasets", "a", "b", "columns"), (*SELECT, *MARGIN)),
    "ratio": Keys(("datasets", "a", "b", "columns"), (*SELECT, *MARGIN)),
    "certificate": Keys(("datasets", "networks", "columns"), ("m", "on")),
    "theorem": Keys(("theorem",), ()),
}
"""Every kind of rule."""

TWO = {"pair_methods": "methods", "pair_columns": "columns", "pair_perturbations": "perturbations",
       "certificate": "columns"}  # fmt: skip
"""The key of which a kind compares the first entry with the second, so that it has two."""
