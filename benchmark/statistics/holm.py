"""Holm's test of several directions: a false verdict on any of them has the probability of one test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Tested(NamedTuple):
    """One verdict among others.

    Args:
        adjusted: its probability, to be compared with the level of the whole.
        level: with which its own probability was compared.
    """

    adjusted: float
    level: float


def holm(probabilities: Sequence[float], whole: float) -> list[Tested]:
    """What becomes of each verdict; once one is not given, neither are all that are more probable, at its level.

    A quantity is above its bound or below it, and a verdict says which. Only one of the two verdicts can be false, but
    a two-sided probability is that of both; so among others it counts by half, and never less than by itself
    (directional errors of Holm's test: Shaffer 1980, Ann. Statist. 8, for independent tests).

    Args:
        probabilities: two-sided, of each by itself.
        whole: probability of a false verdict among all of them that is tolerated.
    """
    order = sorted(range(len(probabilities)), key=lambda at: probabilities[at])
    found: list[Tested] = [Tested(1.0, whole)] * len(order)
    adjusted, level = 0.0, 0.0
    for rank, at in enumerate(order):
        times = max((len(order) - rank) / 2, 1.0)
        if adjusted <= whole:
            level = whole / times
        adjusted = max(adjusted, min(1.0, times * probabilities[at]))
        found[at] = Tested(adjusted, level)
    return found
