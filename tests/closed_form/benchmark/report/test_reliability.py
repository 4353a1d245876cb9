"""Ranks, split halves and Krippendorff's alpha against hand examples and slow loops."""

from __future__ import annotations

from itertools import product
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import rankdata
from xaiboard.benchmark.report.reliability import (
    SPLITS,
    agreement,
    halves,
    krippendorff,
    rank_correlation,
    ranks,
    split_half,
)

MISSING = np.nan

# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section E: four observers, twelve units.
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, MISSING, MISSING, MISSING],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, MISSING, 3],
        [MISSING, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, MISSING],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, MISSING],
    ]
)


def slow_alpha(values: np.ndarray) -> float:
    """The definition: observed over expected disagreement, pair by pair, from the frequencies of the values."""
    units = [column[~np.isnan(column)] for column in values.T]
    units = [unit for unit in units if len(unit) > 1]
    pooled = np.concatenate(units)
    levels, count = np.unique(pooled, return_counts=True)

    def distance(a: float, b: float) -> float:
        low, high = min(a, b), max(a, b)
        between = count[(levels >= low) & (levels <= high)].sum()
        return float(between - (count[levels == low][0] + count[levels == high][0]) / 2) ** 2

    n = len(pooled)
    observed = (
        sum(sum(distance(a, b) for a, b in product(unit, unit)) / (len(unit) - 1) for unit in units) / n
    )
    expected = sum(distance(a, b) for a, b in product(pooled, pooled)) / (n * (n - 1))
    return 1 - observed / expected


def test_ranks_share_ties_and_do_not_tell_rounding_apart() -> None:
    values = np.array([[3.0, 1.0, 2.0, 1.0], [0.1 + 0.2, 0.3, 0.0, 1.0], [-5.0, -5.0, -5.0, -5.0]])
    np.testing.assert_array_equal(ranks(values), [[4, 1.5, 3, 1.5], [2.5, 2.5, 1, 4], [2.5, 2.5, 2.5, 2.5]])
    np.testing.assert_array_equal(ranks(1e-30 * values), ranks(values))


def test_rank_correlations_are_those_of_scipys_ranks() -> None:
    a, b = np.random.default_rng(0).integers(0, 6, size=(2, 30, 8)).astype(float)
    for found, x, y in zip(rank_correlation(a, b), a, b, strict=True):
        assert found == pytest.approx(np.corrcoef(rankdata(x), rankdata(y))[0, 1], rel=1e-12)


def test_rank_correlation_is_empty_where_a_row_is_constant_or_a_value_is_missing() -> None:
    a = np.array([[1.0, 1.0, 1.0], [1.0, np.nan, 2.0], [1.0, 2.0, 3.0]])
    b = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    np.testing.assert_array_equal(rank_correlation(a, b), [np.nan, np.nan, -1])


@pytest.mark.parametrize("n", [2, 7, 100])
def test_halves_are_random_halves_and_always_the_same(n: int) -> None:
    half = halves(n)
    assert half.shape == (SPLITS, n)
    assert (half.sum(1) == n // 2).all()
    assert set(np.unique(half)) == {0, 1}
    np.testing.assert_array_equal(half, halves(n))
    assert abs(half.mean(0) - (n // 2) / n).max() < 5 * 0.5 / SPLITS**0.5


@pytest.mark.parametrize("n", [0, 1])
def test_halves_of_too_few_samples_are_empty(n: int) -> None:
    assert halves(n).shape == (SPLITS, n)
    assert not halves(n).any()


def test_split_half_counts_the_splits_that_order_both_halves() -> None:
    first, second = (
        np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]),
        np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]]),
    )
    assert split_half(first, second) == (0.0, 2)
    value, splits = split_half(first[2:], second[2:])
    assert np.isnan(value)
    assert splits == 0


def mean_split_half(score: np.ndarray) -> float:
    """Split-half reliability, mean over independent draws of the scores, ``(draws, N, M)``."""
    half = halves(score.shape[1])
    return float(np.mean([split_half(half @ draw, (1 - half) @ draw)[0] for draw in score]))


def test_reliability_of_noise_is_zero() -> None:
    """Of one draw of eight methods it has a standard deviation of .25 (measured), so the mean of 100 one of .025."""
    assert abs(mean_split_half(np.random.default_rng(0).normal(size=(100, 60, 8)))) < 0.08


def test_reliability_of_what_is_half_noise_is_the_closed_form() -> None:
    """Two methods differ by .2 standard deviations, so half of the samples say so with probability p.

    Both halves say the same with probability ``p^2 + (1 - p)^2``; the rank correlation of two methods is 1 or -1.
    """
    p = NormalDist().cdf(0.2 * 30**0.5)
    score = np.random.default_rng(0).normal(size=(300, 60, 2)) * [0, 1] + [0, 0.2]
    assert mean_split_half(score) == pytest.approx(2 * (p**2 + (1 - p) ** 2) - 1, abs=0.1)


def test_alpha_of_the_textbook_example() -> None:
    assert krippendorff(OBSERVERS) == pytest.approx(0.815, abs=5e-4)
    assert krippendorff(OBSERVERS) == pytest.approx(slow_alpha(OBSERVERS), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, size=(5, 7)).astype(float)
    values[rng.random(values.shape) < 0.3] = np.nan
    assert krippendorff(values) == pytest.approx(slow_alpha(values), rel=1e-12)


def test_alpha_by_hand() -> None:
    """Two raters order three units as 1 2 3 and 1 3 2.

    Mean ranks among all six values are 1.5, 3.5, 5.5, their squares about the mean add up to 16. Two units have the
    values 3.5 and 5.5, whose squares about their mean add up to 2, so alpha = 1 - 5/6 * (2 * 2 + 2 * 2) / 16 = 7/12.
    """
    assert krippendorff(np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])) == pytest.approx(7 / 12)


def test_alpha_without_anything_to_compare_is_empty() -> None:
    for values in (
        np.ones((3, 4)),
        np.ones((1, 4)),
        np.full((3, 4), np.nan),
        np.ones((0, 4)),
        np.ones((4, 0)),
    ):
        assert np.isnan(krippendorff(values))


def test_samples_agree_by_the_ranks_of_the_methods_alone() -> None:
    rng = np.random.default_rng(0)
    level, scale = np.array([1.0, 2.0, 4.0, 3.0]), rng.uniform(0.1, 10, size=(50, 1))
    assert agreement(scale * level, np.ones((50, 4))) == (pytest.approx(1), 50)
    alpha, _ = agreement(rng.normal(size=(400, 6)), np.ones((400, 6)))
    assert abs(alpha) < 0.01  # its standard deviation is .002 (measured)


def test_agreement_is_that_of_scipys_ranks() -> None:
    score = np.random.default_rng(1).integers(0, 5, size=(20, 6)).astype(float)
    alpha, n = agreement(score, np.ones((20, 6)))
    assert alpha == pytest.approx(slow_alpha(rankdata(score, axis=1)), rel=1e-12)
    assert n == 20


def test_samples_without_weight_do_not_rate_and_negative_weights_turn_the_order_round() -> None:
    score = np.array([[1.0, 2.0, 3.0]] * 5 + [[3.0, 2.0, 1.0]] * 2)
    weight = np.ones((7, 3))
    weight[5] = -0.1  # counts for the reverse of its order, as in the mean
    weight[6, 0] = 0
    assert agreement(score, weight) == (pytest.approx(1), 6)
    assert agreement(score, -weight) == (pytest.approx(1), 6)
    assert agreement(score, np.abs(weight))[0] < 0.8
