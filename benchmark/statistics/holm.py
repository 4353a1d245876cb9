"""Holm's test of several hypotheses: a false rejection of any has the probability of one test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Tested(NamedTuple):
    """One hypothesis among others.

    Args:
        adjusted: its probability, to be compared with the level of the whole.
        level: with which its own probability was compared.
    """

    adjusted: float
    level: float


def holm(probabilities: Sequence[float], whole: float) -> list[Tested]:
    """What becomes of each hypothesis; once one stays, so do all that are more probable, at the level of that one.

    Args:
        probabilities: of each by itself.
        whole: probability of a false rejection among all of them that is tolerated.
    """
    order = sorted(range(len(probabilities)), key=lambda at: probabilities[at])
    found: list[Tested] = [Tested(1.0, whole)] * len(order)
    adjusted, level = 0.0, 0.0
    for rank, at in enumerate(order):
        left = len(order) - rank
        if adjusted <= whole:
            level = whole / left
        adjusted = max(adjusted, min(1.0, left * probabilities[at]))
        found[at] = Tested(adjusted, level)
    return found
