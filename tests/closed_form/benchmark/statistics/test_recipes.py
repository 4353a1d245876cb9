"""Differences between recipes: Welch's interval with few networks, a bootstrap of both levels with more."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.statistics.means import Means, means
from xaiboard.benchmark.statistics.recipes import recipe_difference


def networks(levels: np.ndarray, noise: float, n: int = 200, seed: int = 0) -> Means:
    """Networks of those means up to noise, on the same images."""
    rng = np.random.default_rng(seed)
    score = levels + noise * (rng.normal(size=(n, 1)) + rng.normal(size=(n, len(levels))))
    return means(score, np.ones_like(score))


ONE, OTHER = np.array([0.9, 1.1, 1.3]), np.array([0.2, 0.4, 0.3, 0.6])


def test_without_variance_of_images_it_is_welch_s_interval() -> None:
    found = recipe_difference(networks(np.r_[ONE, OTHER], 0.0), np.arange(3), np.arange(3, 7))
    known = stats.ttest_ind(ONE, OTHER, equal_var=False).confidence_interval(0.95)
    assert found.effect == pytest.approx(ONE.mean() - OTHER.mean())
    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_without_variance_of_networks_it_is_student_s_interval_of_the_images() -> None:
    """Networks whose scores are equal up to an image's difficulty have equal means."""
    rng = np.random.default_rng(1)
    score = np.repeat(rng.normal(size=(50, 2)), 3, axis=1)
    found = recipe_difference(means(score, np.ones_like(score)), np.arange(3), np.arange(3, 6))
    known = stats.ttest_rel(score[:, 0], score[:, 3]).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_both_sources_add_up() -> None:
    """Banerjee's sum of squares: that of Welch's reach, and that of the images'."""
    found = networks(np.r_[ONE, OTHER], 1.0, n=60)
    a, b = found.mean[:3], found.mean[3:]
    welch = stats.ttest_ind(a, b, equal_var=False)
    of_networks = welch.confidence_interval(0.95).high - welch.confidence_interval(0.95).low
    score = found.mean + found.influence
    images = stats.ttest_rel(score[:, :3].mean(1), score[:, 3:].mean(1)).confidence_interval(0.95)
    reach = np.hypot(of_networks, images.high - images.low) / 2
    difference = recipe_difference(found, np.arange(3), np.arange(3, 7))
    assert difference.high - difference.effect == pytest.approx(reach)
    assert difference.effect - difference.low == pytest.approx(reach)


def test_one_network_says_nothing_about_its_recipe() -> None:
    found = recipe_difference(networks(np.r_[ONE, OTHER], 0.1), np.array([0]), np.arange(3, 7))
    assert np.isfinite(found.effect)
    assert np.isnan([found.low, found.high]).all()


def test_equal_networks_differ_by_nothing() -> None:
    found = recipe_difference(networks(np.ones(4), 0.0), np.arange(2), np.arange(2, 4))
    assert found == (0.0, 0.0, 0.0)


def slow_bootstrap(found: Means, one: np.ndarray, other: np.ndarray, resamples: int) -> np.ndarray:
    """Differences of resampled means, one at a time."""
    rng = np.random.default_rng(7)
    score = found.mean + found.influence  # of samples without weights
    drawn = []
    for _ in range(resamples):
        images = rng.integers(0, len(score), len(score))
        sides = [
            np.mean([score[images, network].mean() for network in rng.choice(side, len(side))])
            for side in (one, other)
        ]
        drawn.append(sides[0] - sides[1])
    return np.array(drawn)


@pytest.mark.parametrize(("noise", "apart"), [(0.1, 1.0), (3.0, 0.0)])
def test_from_five_networks_on_both_levels_are_drawn_anew(noise: float, apart: float) -> None:
    """With little noise of images the networks matter most; of equal networks the images do."""
    levels = apart * np.r_[np.linspace(0.5, 1.5, 5), np.linspace(0, 2, 6)]
    found, one, other = networks(levels, noise, n=100), np.arange(5), np.arange(5, 11)
    difference = recipe_difference(found, one, other)
    drawn = slow_bootstrap(found, one, other, 3000)
    low, high = np.quantile(drawn, [0.025, 0.975])
    error = 5 * drawn.std() * (1 / 2000 + 1 / 3000) ** 0.5 * 2.7  # of a quantile: 2.7 times that of the mean
    assert difference.low == pytest.approx(low, abs=error)
    assert difference.high == pytest.approx(high, abs=error)
    assert error < (high - low) / 4


def test_images_are_drawn_for_all_networks_alike() -> None:
    """What makes an image hard for all networks is no part of their difference."""
    rng = np.random.default_rng(3)
    hard = 100 * rng.normal(size=(80, 1))
    score = hard + np.r_[np.full(5, 1.0), np.zeros(5)] + 0.01 * rng.normal(size=(80, 10))
    found = recipe_difference(means(score, np.ones_like(score)), np.arange(5), np.arange(5, 10))
    assert 0.95 < found.low < found.high < 1.05


def test_the_same_interval_each_time_and_the_reverse_for_the_reverse() -> None:
    found = networks(np.linspace(0, 1, 10), 1.0)
    there, again, back = (
        recipe_difference(found, one, other)
        for one, other in ((range5(0), range5(5)), (range5(0), range5(5)), (range5(5), range5(0)))
    )
    assert there == again
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def range5(start: int) -> np.ndarray:
    return np.arange(start, start + 5)


def test_one_image_says_nothing_of_others() -> None:
    score = np.array([[1.0, 1.01, 1.02, 2.0, 2.01, 2.02]])
    found = recipe_difference(means(score, np.ones_like(score)), np.arange(3), np.arange(3, 6))
    assert found.effect == pytest.approx(-1)
    assert np.isnan([found.low, found.high]).all()
