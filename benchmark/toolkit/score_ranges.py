"""Ranges of scores, which metrics declare: as files hold them, in words, and with room for rounding."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

ScoreRange = tuple[float, float]
"""The smallest and the largest score that a sample may have; infinite where there is no bound."""

UNBOUNDED: ScoreRange = (-inf, inf)
"""The range of a column that declares none."""

ROUNDING = 1e-5
"""How far a score may lie beyond a bound, relative to the bound or to 1, whichever is larger."""


def range_to_json(bounds: ScoreRange | None) -> list[float | None]:
    """The range as files hold it, with None for infinity, which JSON does not have; a range of None has no bounds."""
    return [None if abs(bound) == inf else float(bound) for bound in bounds or UNBOUNDED]


def range_from_json(kept: Sequence[float | None]) -> ScoreRange:
    """The opposite of :func:`range_to_json`."""
    low, high = kept
    return (-inf if low is None else low, inf if high is None else high)


def range_words(bounds: ScoreRange) -> str:
    """The range in words: ``0 to 1``, ``at least 0``, ``at most 1`` or ``unbounded``."""
    low, high = bounds
    if -inf < low and high < inf:
        return f"{low:g} to {high:g}"
    if bounds == UNBOUNDED:
        return "unbounded"
    return f"at least {low:g}" if high == inf else f"at most {high:g}"


def in_range(score: float, bounds: ScoreRange) -> bool:
    """Whether a score lies in the range, up to rounding."""
    low, high = widened(bounds, ROUNDING)
    return low <= score <= high


def widened(bounds: ScoreRange, room: float) -> ScoreRange:
    """The range with room beyond its bounds, relative to a bound or to 1, whichever is larger."""
    low, high = bounds
    return low - room * max(1, abs(low)), high + room * max(1, abs(high))
