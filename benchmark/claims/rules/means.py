"""Rules about a mean itself, and about the ratio of two."""

from __future__ import annotations

from collections.abc import Sequence

from ...statistics.contrasts import Contrast
from ...statistics.effects import Effect
from ..declaration import Rule
from ..sides import Side
from .registry import rule


@rule("level", needs=("datasets", "networks", "columns"))
def level(sides: Sequence[Side], _: Rule) -> Effect:
    """The mean."""
    return Effect((Contrast((sides[0].adds(),)),))


@rule("ratio", needs=("datasets", "a", "b", "columns"), compares="twins")
def ratio(sides: Sequence[Side], _: Rule) -> Effect:
    """The mean of the first over that of the second, linearised about it: ``a / B - (A / B) (b / B - 1)``."""
    one, other = sides
    below = other.mean.mean()
    value = one.mean.mean() / below
    centred = other._replace(mean=other.mean - below)
    return Effect((Contrast((one.adds(1 / below), centred.adds(-value / below))),))
