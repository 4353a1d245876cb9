"""A small simulation: how many false claims are said to hold, and how many true ones are found.

``tests/performance/simulate_claims.py`` is the large one. Bounds are quantiles of the binomial distribution at .01 of
what is promised. All is the same each time.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from simulated_claims import KINDS, SPREADS, effect_of, holds_alone, holds_with, rule_of

CLAIMS = 60
STRICT = 0.05 / 10
"""Level of the first of twenty claims, two-sided."""

MOST, MOST_STRICT = stats.binom.isf(0.01, CLAIMS, 0.05), stats.binom.isf(0.01, CLAIMS, STRICT / 2)


@pytest.mark.parametrize(
    ("kind", "seeds"), [*((kind, 2) for kind in KINDS), ("pair", 3), ("pair_columns", 3), ("pair", 5)]
)
def test_false_claims_are_rarely_said_to_hold(kind: str, seeds: int) -> None:
    """By themselves one in twenty at most, and among twenty as much more rarely, with two networks of a recipe too."""
    rng = np.random.default_rng(seeds)
    spread, rule = SPREADS["networks" if seeds == 2 else "both"], rule_of(kind)
    found = [effect_of(kind, 0, seeds, spread, rng, n=60) for _ in range(CLAIMS)]
    assert sum(holds_alone(effect, rule) for effect in found) <= MOST
    assert sum(holds_with(effect, rule, STRICT) for effect in found) <= MOST_STRICT


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "share"])
def test_true_claims_are_found(kind: str) -> None:
    """Twice the margin: four times in five at least, with five networks of each recipe."""
    rng = np.random.default_rng(0)
    rule, spread = rule_of(kind), SPREADS["both"]
    found = [effect_of(kind, 0.1, 5, spread, rng, n=400) for _ in range(30)]
    assert np.mean([holds_alone(effect, rule) for effect in found]) >= 0.8
    assert np.mean([holds_with(effect, rule, 0.05) for effect in found]) >= 0.8
