"""How large an error is expected for the skewness of the scores."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.statistics.ranks import prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums
from xaiboard.benchmark.statistics.skewness import TOLERATED, expected_error, squared_skewness

PAIR = np.triu(np.ones((2, 2), dtype=bool), 1)


def error(score: np.ndarray, bounds: tuple[float, float] = (0, 0)) -> float:
    column = prepare(score, np.ones_like(score), higher_is_better=True, bounds=bounds)
    return rank(column, flipped_sums(column.means.influence)).error


def opposite(n: int, m: int) -> np.ndarray:
    """Exponential scores; the first half of the rows is skewed to the one side, the other to the other."""
    return np.random.default_rng(n).exponential(size=(n, m)) * np.where(np.arange(m) < m // 2, 1, -1)


def test_squared_skewness_against_loops() -> None:
    rng = np.random.default_rng(0)
    influence = rng.exponential(size=(40, 4)) * [1, 2, -1, -2]
    influence -= influence.mean(0)
    slow = []
    for j, k in combinations(range(4), 2):
        d = influence[:, k] - influence[:, j]
        cubes = sum(d[a] ** 3 * d[b] ** 3 for a, b in permutations(range(40), 2)) / (40 * 39)
        squares = (
            sum((d[a] * d[b] * d[c]) ** 2 for a, b, c in combinations(range(40), 3)) * 6 / (40 * 39 * 38)
        )
        slow.append(max(cubes / squares, 0))
    assert 1 < sum(value > 0 for value in slow) < 6
    np.testing.assert_allclose(squared_skewness(influence, np.triu(np.ones((4, 4), bool), 1)), slow)


def test_squared_skewness_of_many_samples_is_that_of_the_distribution() -> None:
    """The difference of two opposite exponential scores is a gamma distribution of shape 2: 4 / 2."""
    score = opposite(200_000, 2)
    assert squared_skewness(score - score.mean(0), PAIR) == pytest.approx(2, rel=0.05)


def test_one_sample_makes_no_skewness() -> None:
    influence = np.zeros((50, 2))
    influence[0, 0] = 1.0
    assert abs(stats.skew(influence[:, 0])) > 6
    assert squared_skewness(influence, PAIR).tolist() == [0]


def test_expected_error_by_hand() -> None:
    """Differences −1, −1, 2 times ten: squares sum to 60, cubes too, fourth powers to 180, sixth to 660."""
    influence = np.zeros((30, 2))
    influence[:, 1] = [-1, -1, 2] * 10
    squared = (60**2 - 660) * 28 / (60**3 - 3 * 60 * 180 + 2 * 660)
    expected = 0.05 * math.cosh(2.5**3 / 3 * math.sqrt(squared / 30))
    assert expected_error(influence, PAIR | PAIR.T, 2.5) == pytest.approx(expected)
    assert expected_error(influence, PAIR | PAIR.T, 5.4) == pytest.approx(1)


@pytest.mark.parametrize("m", [5, 31])
def test_exchangeable_scores_are_not_marked_however_skewed_they_are(m: int) -> None:
    rng = np.random.default_rng(1)
    for n in (30, 100, 1000):
        errors = [error(rng.exponential(size=(n, m))) for _ in range(20)]
        assert min(errors) >= 0.05
        assert np.mean([one > TOLERATED for one in errors]) <= 0.2
        assert np.mean(errors) < (0.07 if n == 30 else 0.06)


def test_opposite_skews_err_the_more_the_fewer_the_samples() -> None:
    errors = [error(opposite(n, 31)) for n in (100, 300, 1000, 10_000)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > TOLERATED > errors[2]
    assert errors[3] == pytest.approx(0.05, abs=0.002)


def test_opposite_skews_err_the_more_the_more_rows() -> None:
    errors = [error(opposite(50, m)) for m in (3, 11, 31)]
    assert errors == sorted(errors)


def test_rows_that_are_guarded_do_not_count() -> None:
    """Their claims are held back by more than the test."""
    score = opposite(100, 6)
    rare = np.zeros((100, 3))
    rare[:15] = [1, -1, 1]
    both = np.hstack([score, rare])
    assert error(both, (-math.inf, math.inf)) == pytest.approx(error(score), rel=0.1)
    assert error(both) > 1.15 * error(score)
    assert error(rare, (-math.inf, math.inf)) == pytest.approx(0.05)
    assert error(rare) > 0.053


def test_nothing_to_tell_apart_errs_as_promised() -> None:
    influence = np.zeros((10, 3))
    assert expected_error(influence, np.zeros((3, 3), bool), 2.0) == pytest.approx(0.05)
    assert expected_error(influence, ~np.eye(3, dtype=bool), 2.0) == pytest.approx(0.05)
    assert expected_error(opposite(10, 3), ~np.eye(3, dtype=bool), math.inf) == pytest.approx(0.05)
    assert expected_error(np.zeros((0, 0)), np.zeros((0, 0), bool), 2.0) == pytest.approx(0.05)
