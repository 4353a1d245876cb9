"""Rounding decides nothing: neither at the border of the test, nor between rows that are equal but for it."""

from __future__ import annotations

import numpy as np
import pytest
from xaiboard.benchmark.statistics.means import means
from xaiboard.benchmark.statistics.ranks import Ranks, prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums
from xaiboard.benchmark.statistics.step_down import told_apart
from xaiboard.benchmark.toolkit.score_ranges import UNBOUNDED


def ranked(*rows: np.ndarray) -> Ranks:
    score = np.stack(rows, 1)
    column = prepare(score, np.ones_like(score), higher_is_better=True, bounds=(0, 1e-9))
    return rank(column, flipped_sums(column.means.influence))


@pytest.mark.parametrize("n", range(1, 6))
def test_a_statistic_at_the_critical_value_is_no_verdict(n: int) -> None:
    """A constant difference of five samples is as great as all signs equal make it, which is more than 5 % of draws."""
    score = np.stack([np.arange(n) + 1.0, np.arange(n) + 0.0], 1)
    found = means(score, np.ones_like(score))
    scale = np.array([[0, n**-0.5], [n**-0.5, 0]])
    sums = flipped_sums(found.influence + found.mean)
    better, critical = told_apart(n * (found.mean[:, None] - found.mean) * scale, sums, scale)
    assert critical == pytest.approx(n**0.5, rel=1e-6)
    assert not better.any()
    assert not ranked(score[:, 0], score[:, 1]).better.any()


def test_six_samples_of_a_constant_difference_are_enough() -> None:
    """All six signs are equal in 1 of 32 draws."""
    assert ranked(np.arange(6) + 1.0, np.arange(6) + 0.0).better.tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e4])
def test_rows_that_differ_as_single_precision_rounds_are_equal(offset: float) -> None:
    """Though every sample says the same, that one is the greater."""
    row = 1 + np.random.default_rng(0).uniform(size=60)
    one, same = row + offset, row + offset + 1e-8
    found = ranked(one, same, row + offset + 1)
    assert found.rank.tolist() == [2, 2, 1]
    assert found.low.tolist() == [2, 2, 1]
    assert found.high.tolist() == [3, 3, 1]


def test_the_last_digits_of_kept_scores_decide_nothing() -> None:
    """Scores of a range of 2 that differ by two units of the last of 24 digits: equal, and both never leave 1."""
    score = np.ones((200, 2))
    score[::3, 1] = np.float32(1 - 2**-23)
    column = prepare(score, np.ones_like(score), higher_is_better=True, bounds=(-1, 1))
    found = rank(column, flipped_sums(column.means.influence))
    assert list(found.rank) == [1, 1]
    assert not found.better.any()
    assert found.rare.all()
    apart = np.where(score == 1, 1, 0.9999)
    column = prepare(apart, np.ones_like(score), higher_is_better=True, bounds=UNBOUNDED)
    assert not column.rare[1]


def test_scores_without_a_range_are_rounded_in_their_own_scale() -> None:
    single = np.random.default_rng(0).normal(size=(200, 1)).astype(np.float32) * np.float32(1e-9)
    other = single * np.float32(1 + 2**-22)
    score = np.hstack([single, other]).astype(float)
    column = prepare(score + 0.0, np.ones_like(score), higher_is_better=True)
    assert not rank(column, flipped_sums(column.means.influence)).better.any()
    score[:, 1] = (single[:, 0] + np.float32(1e-10)).astype(float)
    column = prepare(score, np.ones_like(score), higher_is_better=True)
    assert rank(column, flipped_sums(column.means.influence)).better[1, 0]
