"""Rules about differences: of two sides, of one and the best of several, of each in an order and the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...statistics.contrasts import Contrast, Networks
from ...statistics.effects import Effect
from ..declaration import Rule
from ..sides import Side
from .registry import MARGIN, SELECT, rule

TAKES = (*SELECT, *MARGIN, "lower")


def difference(one: Side, other: Side) -> Contrast:
    """The mean of one side less that of the other; of the same networks, each is its own pair."""
    if one.source.recipe == other.source.recipe:
        return Contrast((Networks(one.mean - other.mean, one.influence - other.influence, one.key),))
    return Contrast((one.adds(), other.adds(-1)))


@rule("pair", needs=("datasets", "a", "b", "columns"), takes=TAKES, compares="twins")
@rule("pair_methods", needs=("datasets", "networks", "columns", "methods"), takes=TAKES, compares="methods")
@rule("pair_columns", needs=("datasets", "networks", "columns"), takes=TAKES, compares="columns")
@rule(
    "pair_perturbations", needs=("datasets", "networks", "columns", "methods", "perturbations"), takes=TAKES,
    compares="perturbations",
)  # fmt: skip
def pair(sides: Sequence[Side], _: Rule) -> Effect:
    """The first less the second."""
    return Effect((difference(*sides),))


@rule("best_of", needs=("datasets", "a", "b", "columns", "methods", "against"), takes=TAKES, compares="best")
def best_of(sides: Sequence[Side], _: Rule) -> Effect:
    """The first less the best of the others: the least of its differences to each of them."""
    one, *others = sides
    return Effect(tuple(difference(one, other) for other in others))


@rule("order", needs=("datasets", "order"), takes=(*TAKES, "over", "networks"), compares="order")
def order(sides: Sequence[Side], _: Rule) -> Effect:
    """The least step from one to the next."""
    return Effect(tuple(difference(better, worse) for worse, better in pairwise(sides)))
