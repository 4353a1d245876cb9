"""What may look superfluous in the procedure and is not: each simplification, beside what is done, errs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.statistics import verdicts as module
from xaiboard.benchmark.statistics.means import means, weighted_mean
from xaiboard.benchmark.statistics.ranks import Ranks, prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums
from xaiboard.benchmark.statistics.step_down import scales, told_apart
from xaiboard.benchmark.toolkit.score_ranges import UNBOUNDED

TABLES = 200
MOST = int(stats.binom.isf(1e-4, TABLES, 0.05))
"""Tables of equal rows of 200 in which chance may find a difference."""


def ranks_of(
    score: np.ndarray, weight: np.ndarray | None = None, bounds: tuple[float, float] = (0, 0)
) -> Ranks:
    column = prepare(
        score, np.ones_like(score) if weight is None else weight, higher_is_better=True, bounds=bounds
    )
    return rank(column, flipped_sums(column.means.influence))


def test_signs_act_on_the_influence_of_samples_not_on_scores() -> None:
    """Exponential weights make the mean vary twice as much as signs of unweighted scores say."""
    rng = np.random.default_rng(0)
    right = simplified = 0
    for _ in range(TABLES):
        score = rng.normal(size=(200, 11))
        weight = rng.exponential(size=(200, 1)) * np.ones_like(score)
        right += ranks_of(score, weight).better.any()
        mean, scale = weighted_mean(score, weight), scales(score, score)
        statistic = 200 * (mean[:, None] - mean[None, :]) * scale
        simplified += told_apart(statistic, flipped_sums(score), scale)[0].any()
    assert right <= MOST
    assert simplified > 0.25 * TABLES


def test_influence_knows_that_the_sum_of_weights_varies() -> None:
    """Scores of 10 ± 1: were the sum of weights fixed, their variation would hide a difference of one half."""
    rng = np.random.default_rng(1)
    right = simplified = 0
    for _ in range(50):
        weight = rng.uniform(0, 2, size=(200, 3))
        score = rng.normal(10, 1, size=(200, 3)) + np.array([0.5, 0, 0])
        right += ranks_of(score, weight).better[0, 1]
        simplified += ranks_of(weight * score / weight.mean(0)).better[0, 1]  # whose means are the same
    assert right > 40
    assert simplified < 10


def test_a_constant_is_taken_off_all_means() -> None:
    """Scores that far from 0 would leave no digits for the differences."""
    score = np.rint(64 * np.random.default_rng(2).normal(size=(60, 5))) / 64 + np.arange(5.0)
    known = ranks_of(score).better
    assert known.sum() == 10
    np.testing.assert_array_equal(ranks_of(score + 1e12).better, known)


def test_every_pair_is_divided_by_its_own_spread() -> None:
    """One noisy row would hide the difference between two quiet ones."""
    rng = np.random.default_rng(3)
    score = rng.normal(size=(60, 3)) * np.array([0.01, 0.01, 10]) + np.array([0.0, 0.05, 0])
    assert ranks_of(score).better[1, 0]
    found = means(score, np.ones_like(score))
    same = 1.0 - np.eye(3)
    difference = 60 * (found.mean[:, None] - found.mean[None, :])
    assert not told_apart(difference, flipped_sums(found.influence), same)[0].any()


def test_the_maximum_is_over_all_pairs() -> None:
    """Each pair by itself at 5 % finds a difference among six equal rows several times as often."""
    rng = np.random.default_rng(4)
    together = alone = 0
    for _ in range(TABLES):
        score = rng.normal(size=(60, 6))
        together += ranks_of(score).better.any()
        alone += any(ranks_of(score[:, [0, k]]).better.any() for k in range(1, 6))
    assert together <= MOST
    assert alone > 0.12 * TABLES > MOST


def test_samples_are_those_that_all_rows_have_not_those_that_each_has() -> None:
    """Rows lack the lowest of common scores, 0 to 10 % of them: their own means differ by what they lack."""
    rng = np.random.default_rng(5)
    right = simplified = 0
    for _ in range(TABLES):
        common = np.sort(rng.normal(size=(200, 1)), axis=0)
        score = common + 0.5 * rng.normal(size=(200, 5))
        for row in range(5):
            score[: int(rng.integers(0, 20)), row] = np.nan
        right += ranks_of(score).better.any()
        own = means(score, np.ones_like(score))
        scale = scales(own.influence, own.influence)
        statistic = 200 * (own.mean[:, None] - own.mean[None, :]) * scale
        simplified += told_apart(statistic, flipped_sums(own.influence), scale)[0].any()
    assert right <= MOST
    assert simplified > 0.25 * TABLES


def test_what_hardly_a_sample_shows_is_guarded() -> None:
    """Scores of 1 on 1 % of samples and of .02 on half of them have one mean; the first are often not seen at all."""
    rng = np.random.default_rng(6)
    right = unknown = simplified = 0
    for _ in range(TABLES):
        seldom = (rng.uniform(size=(100, 2)) < 0.01).astype(float)
        often = 0.02 * (rng.uniform(size=(100, 3)) < 0.5)
        score = np.hstack([seldom, often])
        right += ranks_of(score, bounds=(0, 1)).better.any()
        unknown += ranks_of(score, bounds=UNBOUNDED).better.any()
        simplified += ranks_of(score).better.any()
    assert right <= MOST
    assert unknown <= MOST
    assert simplified > 0.3 * TABLES


def test_later_steps_find_more(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    tables = [rng.normal(size=(50, 8)) + 0.25 * np.arange(8) for _ in range(30)]
    steps = sum(ranks_of(score).better.sum() for score in tables)

    def first_step(
        statistic: np.ndarray, sums: np.ndarray, scale: np.ndarray, tilt: None
    ) -> tuple[np.ndarray, float]:
        critical = told_apart(statistic, sums, scale)[1]
        return (scale > 0) & (statistic > critical), critical

    monkeypatch.setattr(module, "told_apart", first_step)
    assert sum(ranks_of(score).better.sum() for score in tables) < 0.98 * steps
