"""Simultaneous intervals of differences: what they hold, that they agree with verdicts, and the power they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.statistics.differences import (
    Differences,
    differences,
    inflated,
)
from xaiboard.benchmark.statistics.means import means
from xaiboard.benchmark.statistics.ranks import prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums

NO_GUARD = (0.0, 0.0)

NONE = np.zeros((1, 1))
"""Nothing is needed beside the test."""


def found_in(
    score: np.ndarray, weight: np.ndarray | None = None, bounds: tuple[float, float] = NO_GUARD
) -> Differences:
    weight = np.ones_like(score) if weight is None else weight
    column = prepare(score, weight, higher_is_better=True, bounds=bounds)
    return differences(column.means, column.needed, flipped_sums(column.means.influence))


def some_table(seed: int) -> np.ndarray:
    """Normal, skewed, tied, binary or nearly constant scores, of rows some of which differ."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 70)), int(rng.integers(1, 7))
    score = rng.normal(size=(n, m)) + rng.uniform(0, 1) * np.arange(m)
    kind = seed % 5
    if kind == 1:
        score = np.exp(score)
    elif kind == 2:
        score = np.rint(score)
    elif kind == 3:
        score = (score > 1).astype(float)
    elif kind == 4:
        score[2:] = score[0]
    return score


def test_two_rows_have_about_student_s_interval() -> None:
    """Of two rows the critical value is that of one two-sided test."""
    score = np.random.default_rng(0).normal(size=(200, 2))
    found = found_in(score)
    known = stats.ttest_rel(score[:, 0], score[:, 1]).confidence_interval(0.95)
    assert found.low[0, 1] == pytest.approx(known.low, abs=0.01)
    assert found.high[0, 1] == pytest.approx(known.high, abs=0.01)
    assert found.effect[0, 1] == pytest.approx(score[:, 0].mean() - score[:, 1].mean())
    assert found.error[0, 1] == pytest.approx((score[:, 0] - score[:, 1]).std() / 200**0.5)


def test_a_difference_is_the_reverse_of_its_reverse() -> None:
    found = found_in(some_table(20), np.random.default_rng(0).exponential(size=some_table(20).shape))
    np.testing.assert_array_equal(found.effect, -found.effect.T)
    np.testing.assert_array_equal(found.low, -found.high.T)
    np.testing.assert_array_equal(found.error, found.error.T)


@pytest.mark.parametrize("bounds", [NO_GUARD, (0.0, 1.0), (-math.inf, math.inf)])
def test_an_interval_without_0_is_a_verdict(bounds: tuple[float, float]) -> None:
    told = later = 0
    for seed in range(150):
        score = some_table(seed)
        weight = np.random.default_rng(seed).exponential(size=score.shape) if seed % 2 else None
        found = found_in(score, weight, bounds)
        assert (found.better >= (found.low > 0)).all(), seed
        assert not (found.better & ((found.high < 0) | (found.effect <= 0))).any(), seed
        told += (found.low > 0).sum()
        later += (found.better & (found.low <= 0)).sum()
    assert told > 100
    assert later < told / 4, "hardly a verdict comes from a later step"


def test_verdicts_are_those_of_the_ranks() -> None:
    for seed in range(40):
        score = some_table(seed)
        column = prepare(score, np.ones_like(score), higher_is_better=True, bounds=(0, 1))
        sums = flipped_sums(column.means.influence)
        np.testing.assert_array_equal(
            differences(column.means, column.needed, sums).better, rank(column, sums).better
        )


def test_intervals_hold_for_all_pairs_together() -> None:
    """Normal scores, five rows of different means: all ten intervals hold in 95 % of 600 tables, and not in all."""
    rng = np.random.default_rng(1)
    true = np.array([0, 0.1, 0.3, 0.3, 2.0])
    held = 0
    for _ in range(600):
        found = found_in(rng.normal(size=(40, 5)) + true)
        held += ((found.low <= true[:, None] - true) & (true[:, None] - true <= found.high)).all()
    assert stats.binom.ppf(1e-4, 600, 0.95) <= held <= stats.binom.ppf(1 - 1e-4, 600, 0.96)


def test_equal_rows_differ_by_nothing() -> None:
    row = np.random.default_rng(2).normal(size=(40, 1))
    found = found_in(np.hstack([row, row, row * (1 + 2e-16), row + 1]))
    np.testing.assert_array_equal(found.effect[:3, :3], np.zeros((3, 3)))
    np.testing.assert_array_equal(found.low[:3, :3], np.zeros((3, 3)))
    assert np.isinf(found.samples()[:3, :3]).all()
    assert found.better[3].tolist() == [True, True, True, False]


def test_a_difference_that_is_the_same_everywhere_has_no_error() -> None:
    """It is told apart from six samples on, where the least of two times 64 patterns of signs is below 5 %."""
    for n, told in ((5, False), (6, True)):
        score = np.random.default_rng(3).normal(size=(n, 1)) + np.array([0.0, 0.5])
        found = found_in(score)
        assert found.error[1, 0] == pytest.approx(0, abs=1e-15)
        assert found.better[1, 0] == told
        assert (found.low[1, 0] > 0) == told
        assert 1 < found.samples()[1, 0] <= (6 if told else math.inf)


def test_the_guard_widens_intervals_and_what_can_be_resolved() -> None:
    """A row of zeros against one of .05, n = 100: ten events of width 1 may move the difference by .1."""
    score = np.stack([np.zeros(100), np.full(100, 0.05)], 1)
    found = found_in(score, bounds=(0, 1))
    assert (found.low[1, 0], found.high[1, 0]) == pytest.approx((-0.05, 0.15))
    assert found.smallest()[1, 0] == pytest.approx(0.1)
    assert found.samples()[1, 0] == pytest.approx(200, abs=1)
    without = found_in(score, bounds=(-math.inf, math.inf))
    assert without.low[1, 0] == -math.inf
    assert np.isinf(without.smallest()[1, 0])
    assert np.isinf(without.samples()[1, 0])


def test_guarded_and_free_rows_may_stand_together() -> None:
    """Only differences from the guarded row are widened."""
    rng = np.random.default_rng(4)
    score = np.hstack([rng.uniform(size=(200, 2)), np.zeros((200, 1))])
    found, free = found_in(score, bounds=(0, 20)), found_in(score)
    np.testing.assert_array_equal(found.low[:2, :2], free.low[:2, :2])
    assert found.high[0, 2] - found.effect[0, 2] == pytest.approx(1)  # ten times 20 / 200


def power(n: int, difference: float, tables: int = 400) -> float:
    """How often the first of three normal rows is found to be better than the second by its interval."""
    rng = np.random.default_rng(n)
    tables_of = (rng.normal(size=(n, 3)) + np.array([difference, 0, 0]) for _ in range(tables))
    return sum(found_in(score).low[0, 1] > 0 for score in tables_of) / tables


def test_the_smallest_difference_has_the_power_that_it_promises() -> None:
    rng = np.random.default_rng(5)
    smallest = np.mean([found_in(rng.normal(size=(80, 3))).smallest()[0, 1] for _ in range(100)])
    assert abs(power(80, float(smallest)) - 0.8) < 4 * (0.16 / 400) ** 0.5
    assert power(80, float(smallest) / 2) < 0.4


def test_so_many_samples_have_the_power_that_is_promised() -> None:
    """Forty samples of the expected scores say how many it takes."""
    quantiles = stats.norm.ppf((np.arange(40) + 0.5) / 40)
    rng = np.random.default_rng(6)
    score = np.stack([rng.permutation(quantiles) for _ in range(3)], 1)
    score[:, 0] = (score[:, 0] - score[:, 0].mean()) + 0.35
    found = found_in(score)
    wanted = found.samples()[0, 1] * 2 / (40 * found.error[0, 1] ** 2)  # as if the variance were the true one
    assert 100 < wanted < 300
    assert abs(power(int(wanted), 0.35) - 0.8) < 0.1


def test_so_many_samples_show_that_a_difference_is_within_the_margin() -> None:
    """Two rows of normal scores whose means are equal, and a margin of a fifth of their standard deviation."""
    rng = np.random.default_rng(9)
    score = rng.normal(size=(60, 2))
    score -= score.mean(0)
    found = found_in(score / score.std(0))
    assert np.isinf(found.samples()[0, 1]) or found.samples()[0, 1] > 1e9
    wanted = int(found.samples(margin=0.2)[0, 1] * 2 / (60 * found.error[0, 1] ** 2))
    within = 0
    for _ in range(400):
        drawn = found_in(rng.normal(size=(wanted, 2)))
        within += drawn.low[0, 1] > -0.2 and drawn.high[0, 1] < 0.2
    assert abs(within / 400 - 0.8) < 0.08


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_samples_are_no_error(n: int) -> None:
    found = found_in(np.arange(3.0) + np.zeros((n, 1)))
    assert not found.better.any()
    assert not (found.low > 0).any()
    assert np.isinf(found.samples()).all()
    assert not np.isnan(found.smallest()).any()


def test_one_row() -> None:
    found = found_in(np.ones((30, 1)))
    assert found.effect.tolist() == found.low.tolist() == found.high.tolist() == [[0.0]]


def test_inflated_inverts_the_studentisation() -> None:
    """A difference d of variance v has the statistic d sqrt(n) / sqrt(v + d²): c at d = inflated(c) sqrt(v / n)."""
    n, variance, c = 30, 2.0, 3.1
    d = inflated(c, n) * (variance / n) ** 0.5
    assert d * n**0.5 / (variance + d**2) ** 0.5 == pytest.approx(c)
    assert inflated(6, 30) == math.inf


def test_weighted_error_is_that_of_the_ratio() -> None:
    rng = np.random.default_rng(8)
    score, weight = rng.normal(size=(50, 2)), rng.exponential(size=(50, 2))
    influence = means(score, weight).influence
    expected = (influence[:, 0] - influence[:, 1]).std() / 50**0.5
    assert found_in(score, weight).error[0, 1] == pytest.approx(expected)
