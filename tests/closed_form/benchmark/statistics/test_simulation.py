"""A small simulation: how often equal rows are told apart, and how many of the differences that exist are found.

``tests/performance/simulate_ranks.py`` is the large one. Bounds are quantiles of the binomial distribution at .01 of
what is promised: an error of 8 % instead of 5 is seen two times in three. All is the same each time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.statistics.ranks import Ranks, prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums

N, TABLES = 60, 500

Draw = Callable[[np.random.Generator, int], np.ndarray]

EXCHANGEABLE: dict[str, Draw] = {
    "normal": lambda rng, m: rng.normal(size=(N, m)) + rng.normal(size=(N, 1)),
    "skewed": lambda rng, m: rng.exponential(size=(N, m)),
    "ties": lambda rng, m: np.rint(rng.normal(size=(N, m))),
}


def ranks_of(score: np.ndarray, weight: np.ndarray | None = None) -> Ranks:
    weight = np.ones_like(score) if weight is None else weight
    column = prepare(score, weight, higher_is_better=True, bounds=(0, 0))
    return rank(column, flipped_sums(column.means.influence))


@pytest.mark.parametrize("m", [5, 11])
@pytest.mark.parametrize("kind", EXCHANGEABLE)
def test_equal_rows_are_told_apart_in_5_percent_of_tables(kind: str, m: int) -> None:
    """Above the upper bound the test is wrong; below the lower it is blunt."""
    rng = np.random.default_rng(m)
    false = sum(ranks_of(EXCHANGEABLE[kind](rng, m)).better.any() for _ in range(TABLES))
    assert stats.binom.ppf(0.01, TABLES, 0.04) <= false <= stats.binom.isf(0.01, TABLES, 0.05)


def test_weights_of_few_samples_change_nothing_in_that() -> None:
    """Were signs given to the influence of samples, the heaviest of which pull the mean, it would be 17 %."""
    rng = np.random.default_rng(0)
    false = sum(
        ranks_of(rng.normal(size=(30, 5)), rng.exponential(size=(30, 1)) * np.ones((30, 5))).better.any()
        for _ in range(TABLES)
    )
    assert stats.binom.ppf(0.01, TABLES, 0.04) <= false <= stats.binom.isf(0.01, TABLES, 0.05)


@pytest.mark.parametrize(("m", "found"), [(5, 0.34), (11, 0.595)])
def test_differences_that_exist_are_found(m: int, found: float) -> None:
    """Means of 0, .2, .4 …, standard deviation 1: the mean share of pairs found, and the true ranks held."""
    rng = np.random.default_rng(m)
    true = np.arange(m, 0, -1)
    share, held = [], 0
    for _ in range(200):
        ranks = ranks_of(rng.normal(size=(N, m)) + 0.2 * np.arange(m))
        share.append(ranks.better.sum() / (m * (m - 1) / 2))
        held += ((ranks.low <= true) & (true <= ranks.high)).all()
    assert np.mean(share) == pytest.approx(found, abs=0.02)
    assert held >= stats.binom.ppf(1e-4, 200, 0.95)
