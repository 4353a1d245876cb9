"""Weighted means, their influence and their intervals against closed forms, the jackknife and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.statistics.means import (
    LEVEL,
    interval,
    means,
    standard_error,
    student_quantile,
    weighted_mean,
)


def table(seed: int, n: int = 9, m: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(2, 1, (n, m)), rng.uniform(0.1, 1, (n, m))


def test_weighted_mean_is_a_ratio_of_sums() -> None:
    score, weight = np.array([[1.0], [2.0], [50.0]]), np.array([[3.0], [1.0], [0.0]])
    assert weighted_mean(score, weight) == pytest.approx(5 / 4)
    assert np.isnan(weighted_mean(score, np.zeros((3, 1)))).all()


def test_negative_weights_count() -> None:
    """(1 · 3 − 2 · 1) / (3 − 1) = 1/2."""
    found = means(np.array([[1.0], [2.0]]), np.array([[3.0], [-1.0]]))
    assert found.mean == pytest.approx(0.5)
    assert found.influence[:, 0] == pytest.approx([1.5, -1.5])


def test_influence_by_hand() -> None:
    """Mean 5/4, mean weight 4/3: 3 (1 − 5/4) / (4/3) and 1 (2 − 5/4) / (4/3), and nothing without a weight."""
    found = means(np.array([[1.0], [2.0], [50.0]]), np.array([[3.0], [1.0], [0.0]]))
    assert found.influence[:, 0] == pytest.approx([-9 / 16, 9 / 16, 0])
    assert found.used == [2]


def test_influence_is_that_of_leaving_a_sample_out() -> None:
    """Without sample i the mean moves by −w_i (x_i − mean) / (W − w_i), an identity."""
    score, weight = table(0)
    found = means(score, weight)
    n, total = len(score), weight.sum(0)
    for i in range(n):
        rest = [other for other in range(n) if other != i]
        moved = found.mean - weighted_mean(score[rest], weight[rest])
        np.testing.assert_allclose(found.influence[i], n * moved * (total - weight[i]) / total, rtol=1e-10)


def test_influence_is_the_derivative_by_the_weight_of_a_sample() -> None:
    score, weight = table(1)
    step = 1e-6
    for i in range(len(score)):
        more, less = weight.copy(), weight.copy()
        more[i] *= 1 + step
        less[i] *= 1 - step
        slope = (weighted_mean(score, more) - weighted_mean(score, less)) / (2 * step)
        np.testing.assert_allclose(means(score, weight).influence[i], len(score) * slope, rtol=1e-6)


def test_standard_error_of_a_ratio_is_about_that_of_the_jackknife() -> None:
    score, weight = table(2, n=400)
    n = len(score)
    left_out = np.stack([weighted_mean(np.delete(score, i, 0), np.delete(weight, i, 0)) for i in range(n)])
    jackknife = np.sqrt((n - 1) / n * ((left_out - left_out.mean(0)) ** 2).sum(0))
    found = means(score, weight)
    np.testing.assert_allclose(standard_error(found.influence, found.used), jackknife, rtol=0.01)


def test_without_weights_the_interval_is_student_s() -> None:
    score, _ = table(3)
    low, high = interval(*means(score, np.ones_like(score)))
    for m in range(score.shape[1]):
        known = stats.ttest_1samp(score[:, m], 0).confidence_interval(LEVEL)
        assert (low[m], high[m]) == pytest.approx((known.low, known.high))


def test_missing_scores_are_as_if_they_were_not_there() -> None:
    score, _ = table(4)
    score[[2, 5], 1] = np.nan
    found = means(score, np.ones_like(score))
    low, high = interval(*found)
    known = stats.ttest_1samp(np.delete(score[:, 1], [2, 5]), 0).confidence_interval(LEVEL)
    assert (low[1], high[1]) == pytest.approx((known.low, known.high))
    assert found.used.tolist() == [9, 7, 9]
    assert found.influence[[2, 5], 1].tolist() == [0, 0]


def test_interval_of_a_difference_is_that_of_the_paired_test() -> None:
    score, _ = table(5)
    found = means(score, np.ones_like(score))
    difference = found.influence[:, 0] - found.influence[:, 1]
    low, high = interval((found.mean[:1] - found.mean[1:2]), difference[:, None], found.used[:1])
    known = stats.ttest_rel(score[:, 0], score[:, 1]).confidence_interval(LEVEL)
    assert (low[0], high[0]) == pytest.approx((known.low, known.high))


@pytest.mark.parametrize("n", [0, 1])
def test_below_two_samples_there_is_no_interval(n: int) -> None:
    found = means(np.ones((n, 1)), np.ones((n, 1)))
    assert np.isnan(interval(*found)).all()
    assert found.mean == pytest.approx(1 if n else math.nan, nan_ok=True)


def test_equal_scores_have_an_interval_of_no_width() -> None:
    low, high = interval(*means(np.full((5, 1), 3.0), np.ones((5, 1))))
    assert (low[0], high[0]) == (3, 3)


def test_quantile_is_student_s() -> None:
    freedom = np.array([1, 4, 30, 1e6])
    np.testing.assert_allclose(student_quantile(freedom), stats.t.ppf((1 + LEVEL) / 2, freedom), rtol=1e-9)


def test_interval_covers_the_mean_of_normal_scores() -> None:
    """Exact for normal scores; four standard errors of 4,000 trials."""
    low, high = interval(*means(np.random.default_rng(6).normal(2, 1, (12, 4000)), np.ones((12, 4000))))
    assert abs(((low <= 2) & (high >= 2)).mean() - LEVEL) < 4 * (0.05 * 0.95 / 4000) ** 0.5


def test_interval_covers_a_ratio() -> None:
    """Weights that go with the scores, uniform on [0, 1]: the ratio is E(w²) / E(w) = 2/3."""
    rng = np.random.default_rng(7)
    weight = rng.uniform(size=(200, 4000))
    score = weight + rng.normal(size=weight.shape)
    low, high = interval(*means(score, weight))
    assert abs(((low <= 2 / 3) & (high >= 2 / 3)).mean() - LEVEL) < 0.005 + 4 * (0.05 * 0.95 / 4000) ** 0.5
