"""Where an effect is against the margin of a claim: what would count as true, and how probable it is that it is not."""

from __future__ import annotations

from typing import NamedTuple

from ..statistics.contrasts import Difference
from ..statistics.effects import Effect
from .declaration import ABOVE, BELOW, NOT_TESTABLE, Rule

HOLDS, NOT, MIXED, UNDECIDED = "holds", "does not hold", "mixed", "undecided"
"""Verdicts, beside ``not testable here``."""

VERDICTS = (HOLDS, NOT, MIXED, UNDECIDED, NOT_TESTABLE)


class Probabilities(NamedTuple):
    """Two-sided, of such an effect at the margin; a small one speaks for the verdict.

    Args:
        holds: that the claim holds.
        fails: that it does not.
    """

    holds: float
    fails: float


def bounds(rule: Rule) -> tuple[float, ...]:
    """The values of the effect at which the claim begins or ceases to hold."""
    return (rule.m,) if rule.holds in (ABOVE, BELOW) else (rule.around - rule.m, rule.around + rule.m)


def distance(effect: float, rule: Rule) -> float:
    """How far the effect is from the next of them."""
    return min(abs(effect - bound) for bound in bounds(rule))


def verdict(interval: Difference, rule: Rule) -> str:
    """What follows from an interval of the effect."""
    first, last = bounds(rule)[0], bounds(rule)[-1]
    if rule.holds == ABOVE:
        holds, fails = interval.low > first, interval.high < first
    elif rule.holds == BELOW:
        holds, fails = interval.high < first, interval.low > first
    else:
        holds = first < interval.low and interval.high < last
        fails = interval.high < first or last < interval.low
    return HOLDS if holds else NOT if fails else UNDECIDED


def probabilities(effect: Effect, rule: Rule) -> Probabilities:
    """How probable such an effect were, if the claim did not hold, or if it did, each just so."""
    first, last = bounds(rule)[0], bounds(rule)[-1]
    if rule.holds == ABOVE:
        one = effect.p_above(first), effect.p_below(first)
    elif rule.holds == BELOW:
        one = effect.p_below(first), effect.p_above(first)
    else:
        one = (
            max(effect.p_above(first), effect.p_below(last)),
            min(effect.p_below(first), effect.p_above(last)),
        )
    return Probabilities(*(min(1.0, 2 * each) for each in one))
