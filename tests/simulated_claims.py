"""Scores of trained networks of which is known what is true: for simulations, large and small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from xaiboard.benchmark.claims.boundaries import HOLDS, probabilities, verdict
from xaiboard.benchmark.claims.declaration import Rule
from xaiboard.benchmark.claims.rules import RULES
from xaiboard.benchmark.claims.sides import Side, Source
from xaiboard.benchmark.statistics.effects import Effect
from xaiboard.benchmark.statistics.means import means


class Spread(NamedTuple):
    """Standard deviations of what makes a score.

    Args:
        network: by the training.
        image: by how an image suits a recipe.
        rest: of a single score.
    """

    network: float
    image: float
    rest: float


SPREADS = {
    "networks": Spread(0.05, 0.1, 0.1),
    "both": Spread(0.02, 0.3, 0.2),
    "images": Spread(0.001, 0.5, 0.2),
}
"""By what the error of an effect is due to, with some hundred images."""

KINDS = ("pair", "pair_columns", "level", "ratio", "share", "best_of", "order")

M = 0.1
"""Margin of every simulated claim; that of a share is above one half."""


def rule_of(kind: str, holds: str = "above") -> Rule:
    """The rule that is judged."""
    if holds == "within":
        return Rule(kind, m=M, holds=holds)
    return Rule(kind, m={"share": 0.5, "ratio": 1 + M}.get(kind, M), holds=holds)


def effect_of(
    kind: str,
    excess: float,
    seeds: int,
    spread: Spread,
    rng: np.random.Generator,
    *,
    n: int = 200,
    scores: str = "normal",
) -> Effect:
    """The effect of sides whose true one is beyond the margin by ``excess``; at 0 a claim of more is just false.

    Of several contrasts the first is so, and all others are true by far.
    """
    levels = {
        "pair": [1 + M + excess, 1], "pair_columns": [1 + M + excess, 1], "level": [M + excess],
        "ratio": [1 + M + excess, 1], "share": [1 + excess, 1], "best_of": [1 + M + excess, 1, 0, 0, 0],
        "order": [1, 1 + M + excess, 2.5],
    }[kind]  # fmt: skip
    hard = 0.3 * rng.normal(size=(n, 1))
    paired = kind == "pair_columns"
    training = spread.network * rng.normal(size=seeds)
    sides = []
    for place, level in enumerate(levels):
        own = training if paired and not place else spread.network * rng.normal(size=seeds)
        score = (
            level
            + own
            + hard
            + spread.image * rng.normal(size=(n, 1))
            + spread.rest * rng.normal(size=(n, seeds))
        )
        if scores == "binary":
            score = level + own + binary(rng, n, seeds, spread)
        sides.append(side("a" if paired else f"recipe{place}", score, place * seeds * (not paired)))
    found = RULES[kind].judge(sides, rule_of(kind))
    assert isinstance(found, Effect)
    return found


def binary(rng: np.random.Generator, n: int, seeds: int, spread: Spread) -> np.ndarray:
    """Scores of two values, of mean 0, which networks of a recipe share on most images."""
    hard = rng.random((n, 1)) < 0.3
    flipped = rng.random((n, seeds)) < spread.rest / 4
    return (hard ^ flipped) - (0.3 + spread.rest / 4 - 2 * 0.3 * spread.rest / 4)


def side(recipe: str, score: np.ndarray, key: int) -> Side:
    """A side of such scores, ``(n, S)``."""
    found = means(score, np.ones_like(score))
    names = tuple(f"{recipe}.{seed}" for seed in range(score.shape[1]))
    return Side(Source(recipe, "", "c", ""), names, found.mean, found.influence, score, key)


def holds_alone(effect: Effect, rule: Rule) -> bool:
    """Whether the claim is said to hold by its own interval."""
    return verdict(effect.interval_each(), rule) == HOLDS


def holds_with(effect: Effect, rule: Rule, level: float) -> bool:
    """Whether it is said to hold with that probability of an error."""
    return probabilities(effect, rule).holds <= level


def share_of(hits: Sequence[bool]) -> float:
    """How many of them are true."""
    return float(np.mean(hits))
