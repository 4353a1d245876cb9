"""Effects on recipes: Welch's interval at any level, probabilities beyond a bound, the least of several."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.statistics.contrasts import Contrast, Networks, p_above, p_below, student
from xaiboard.benchmark.statistics.effects import Effect
from xaiboard.benchmark.statistics.holm import holm

ONE, OTHER = np.array([0.9, 1.1, 1.3]), np.array([0.2, 0.4, 0.3, 0.6])


def networks(levels: np.ndarray, noise: float = 0.0, n: int = 60, seed: int = 0) -> Networks:
    influence = noise * np.random.default_rng(seed).normal(size=(n, len(levels)))
    return Networks(levels, influence - influence.mean(0), 0)


PAIR = Contrast((networks(ONE), networks(OTHER).times(-1)))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_without_variance_of_images_it_is_welch_s_test(level: float) -> None:
    known = stats.ttest_ind(ONE, OTHER, equal_var=False).confidence_interval(level)
    found = student(PAIR, level)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))
    above = float(np.asarray(stats.ttest_ind(ONE - 0.3, OTHER, equal_var=False, alternative="greater"))[1])
    assert p_above(PAIR, 0.3) == pytest.approx(above)
    assert p_below(PAIR, 0.3) == pytest.approx(1 - above)


def test_the_interval_ends_where_the_probability_is_half_of_the_rest() -> None:
    noisy = Contrast((networks(ONE, 1.0), networks(OTHER, 1.0, seed=1).times(-1)))
    found = student(noisy, 0.9)
    assert p_above(noisy, found.low) == pytest.approx(0.05)
    assert p_below(noisy, found.high) == pytest.approx(0.05)


def test_the_same_networks_on_both_sides_are_pairs() -> None:
    """One sample of differences: what two networks have in common is no part of them."""
    difference = np.array([0.1, 0.2, 0.15, 0.12])
    found = student(Contrast((networks(difference),)), 0.95)
    known = stats.ttest_1samp(difference, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_no_variance_at_all_decides_by_the_sign() -> None:
    sure = Contrast((networks(np.ones(3)),))
    assert (p_above(sure, 0.5), p_above(sure, 1.0), p_above(sure, 1.5)) == (0, 1, 1)
    assert (p_below(sure, 0.5), p_below(sure, 1.0), p_below(sure, 1.5)) == (1, 1, 0)


def test_one_network_has_no_interval_but_that_of_the_images() -> None:
    alone = Contrast((networks(np.array([0.7]), 1.0),))
    assert np.isnan([student(alone).low, p_above(alone, 0)]).all()
    images = 0.7 + alone.recipes[0].influence[:, 0]
    known = stats.ttest_1samp(images, 0).confidence_interval(0.95)
    found = Effect((alone,)).interval_each()
    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_the_least_of_several_needs_all_to_be_above_and_one_to_be_below() -> None:
    far, near = PAIR, Contrast((networks(ONE), networks(ONE - 0.1).times(-1)))
    both = Effect((far, near))
    assert both.value == pytest.approx(0.1)
    assert both.least is near
    assert both.p_above(0.05) == p_above(near, 0.05)
    assert both.p_below(0.5) == pytest.approx(2 * p_below(near, 0.5))
    assert both.p_below(0.05) == 1
    assert both.interval(0.9).low == student(near, 0.9).low
    assert both.interval(0.9).high == pytest.approx(student(near, 0.95).high)


def test_an_effect_by_itself_is_resampled_from_five_networks_on() -> None:
    few = Effect((Contrast((networks(np.arange(4.0), 1.0),)),))
    many = Effect((Contrast((networks(np.arange(5.0), 1.0),)),))
    assert few.interval_each() == few.interval(0.95)
    assert many.interval_each() != many.interval(0.95)
    assert many.interval_each().high == pytest.approx(2 + 1.96 * (2 / 5) ** 0.5, abs=0.15)


def test_holm_by_hand() -> None:
    """Of six, two-sided: .01 meets .05 / 3 and .02 meets .05 / 2.5; .03 misses .05 / 2, and all others stay so too."""
    found = holm([0.04, 0.01, 0.03, 0.02, 0.031, 0.045], 0.05)
    assert [each.adjusted for each in found] == pytest.approx([0.06, 0.03, 0.06, 0.05, 0.06, 0.06])
    assert [each.level for each in found] == pytest.approx([0.025, 0.05 / 3, 0.025, 0.02, 0.025, 0.025])
    assert holm([], 0.05) == []


def test_a_verdict_among_others_is_never_given_more_easily_than_alone() -> None:
    assert [each.adjusted for each in holm([0.051, 0.0, 0.0], 0.05)] == pytest.approx([0.051, 0, 0])
    assert all(each.level <= 0.05 for each in holm([0.049, 0.06], 0.05))
