"""Kinds of rules by name: each is a small function that makes an effect, or a fact, of some sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...statistics.effects import Effect
from ..declaration import Rule
from ..sides import Side

SELECT = ("datasets", "methods", "columns", "perturbations", "on", "beyond", "guards")
"""Keys that say which scores are looked at."""

MARGIN = ("m", "holds", "around")
"""Keys that say what would count as true."""


class Fact(NamedTuple):
    """What is true or not without inference.

    Args:
        holds: whether the claim does.
        why: in a sentence.
        contradicted: how often.
    """

    holds: bool
    why: str
    contradicted: int = 0


Judge = Callable[[Sequence[Side], Rule], Effect | Fact]


class Kind(NamedTuple):
    """A kind of rule.

    Args:
        judge: makes an effect of the sides.
        needs: keys without which a declaration says nothing.
        takes: keys that it may have.
        compares: the key whose entries are the sides: the first against the second for ``methods``, ``columns`` and
            ``perturbations``; ``twins``, ``best``, ``order``; empty where there is one side, or none.
    """

    judge: Judge
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    compares: str


RULES: dict[str, Kind] = {}
"""Every kind of rule by its name."""


def rule(
    name: str, *, needs: Sequence[str], takes: Sequence[str] = (*SELECT, *MARGIN), compares: str = ""
) -> Callable[[Judge], Judge]:
    """Registers a function as a kind of rule."""

    def register(judge: Judge) -> Judge:
        RULES[name] = Kind(judge, tuple(needs), tuple(takes), compares)
        return judge

    return register
