"""Ranks and the set of the best: by hand, few samples, and what may not change them."""

from __future__ import annotations

import numpy as np
import pytest
from xaiboard.benchmark.statistics.ranks import Ranks, prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums


def ranks_of(
    score: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    higher_is_better: bool = True,
    bounds: tuple[float, float] = (0, 0),
) -> Ranks:
    """Bounds of no width switch the guard off."""
    weight = np.ones_like(score) if weight is None else weight
    column = prepare(score, weight, higher_is_better=higher_is_better, bounds=bounds)
    return rank(column, flipped_sums(column.means.influence))


def ladder(seed: int, n: int = 50, m: int = 6, step: float = 0.2) -> np.ndarray:
    """Rows some of which can be told apart, in no order."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, m)) + rng.normal(size=(n, 1)) + step * rng.permutation(m)


def intervals(ranks: Ranks) -> list[tuple[int, int, int]]:
    return [tuple(map(int, row)) for row in zip(ranks.low, ranks.rank, ranks.high, strict=True)]  # pyright: ignore[reportReturnType]


def test_rows_far_apart_have_exact_ranks() -> None:
    score = np.random.default_rng(3).normal(size=(40, 4)) * 0.1 + np.array([1.0, 4.0, 2.0, 3.0])
    ranks = ranks_of(score)
    assert intervals(ranks) == [(4, 4, 4), (1, 1, 1), (3, 3, 3), (2, 2, 2)]
    assert ranks.best.tolist() == [False, True, False, False]
    assert ranks.better.sum(1).tolist() == [0, 3, 1, 2]


def test_pairing_tells_rows_apart_whose_own_intervals_overlap() -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(size=(50, 1)) * 10
    score = common + np.array([0.0, 0.5]) + 0.3 * rng.normal(size=(50, 2))
    assert intervals(ranks_of(score)) == [(2, 2, 2), (1, 1, 1)]
    shuffled = np.stack([score[:, 0], rng.permutation(score[:, 1])], 1)
    assert [row[::2] for row in intervals(ranks_of(shuffled))] == [(1, 2), (1, 2)]


@pytest.mark.parametrize("m", [11, 31, 60])
def test_many_rows_are_told_apart(m: int) -> None:
    """A hundred samples order any number of rows that are far apart."""
    score = ladder(0, n=100, m=m, step=2.0)
    assert intervals(ranks_of(score)) == [(int(r),) * 3 for r in m - np.argsort(np.argsort(score.mean(0)))]


def test_a_rank_lies_in_its_interval_and_the_best_are_those_that_nobody_beats() -> None:
    told = 0
    for seed in range(40):
        score = ladder(seed)
        if seed % 2:
            score = np.rint(score)
        ranks = ranks_of(score)
        assert ((ranks.low <= ranks.rank) & (ranks.rank <= ranks.high)).all()
        np.testing.assert_array_equal(ranks.best, ~ranks.better.any(0))
        assert ranks.best[ranks.rank == 1].all()
        assert not (ranks.better & ranks.better.T).any()
        told += ranks.better.any()
    assert told > 20


def test_ranks_do_not_depend_on_the_order_of_rows_and_samples() -> None:
    rng = np.random.default_rng(6)
    for seed in range(20):
        score, weight = ladder(seed, m=9), rng.exponential(size=(50, 9))
        known = ranks_of(score, weight)
        order = rng.permutation(9)
        other = ranks_of(score[:, order], weight[:, order])
        np.testing.assert_array_equal(other.better, known.better[np.ix_(order, order)])
        np.testing.assert_array_equal(other.rank, known.rank[order])
        assert other.error == pytest.approx(known.error)


def test_a_copy_of_a_row_changes_nothing_among_the_others() -> None:
    for seed in range(20):
        score = ladder(seed)
        weight = (
            np.random.default_rng(seed).exponential(size=score.shape) if seed % 2 else np.ones_like(score)
        )
        known = ranks_of(score, weight)
        more = ranks_of(np.hstack([score[:, 2:3], score]), np.hstack([weight[:, 2:3], weight]))
        np.testing.assert_array_equal(more.better[1:, 1:], known.better)
        np.testing.assert_array_equal(more.better[0, 1:], known.better[2])
        assert (more.low[0], more.rank[0], more.high[0]) == (more.low[3], more.rank[3], more.high[3])
        assert not more.better[[0, 3], [3, 0]].any()


def test_equal_rows_share_rank_and_interval() -> None:
    row = np.random.default_rng(4).normal(size=(40, 1))
    assert intervals(ranks_of(np.hstack([row, row, row]))) == [(1, 1, 3)] * 3
    assert intervals(ranks_of(np.hstack([row, row + 5, row]))) == [(2, 2, 3), (1, 1, 1), (2, 2, 3)]


def test_rows_that_differ_by_rounding_are_equal() -> None:
    row = np.random.default_rng(4).normal(size=(40, 1))
    noise = row * (1 + 1e-15 * np.random.default_rng(5).normal(size=(40, 1)))
    assert (noise != row).any()
    assert intervals(ranks_of(np.hstack([noise, row, row + 5]))) == [(2, 2, 3), (2, 2, 3), (1, 1, 1)]


@pytest.mark.parametrize("offset", [1.0, 1e4, 1e6, -1e9])
def test_an_offset_changes_nothing(offset: float) -> None:
    for seed in range(10):
        score = np.rint(64 * ladder(seed)) / 64  # exact with the offset
        np.testing.assert_array_equal(ranks_of(score + offset).better, ranks_of(score).better)


@pytest.mark.parametrize("factor", [1e-12, 0.3, 1e12])
def test_a_positive_factor_changes_nothing_and_a_negative_one_is_the_other_direction(factor: float) -> None:
    for seed in range(10):
        score = ladder(seed)
        known = ranks_of(score)
        np.testing.assert_array_equal(ranks_of(factor * score).better, known.better)
        np.testing.assert_array_equal(ranks_of(-factor * score, higher_is_better=False).better, known.better)
        np.testing.assert_array_equal(ranks_of(-factor * score).better, known.better.T)


def test_equal_weights_are_none_whatever_they_are() -> None:
    score = ladder(1)
    assert intervals(ranks_of(score, np.full_like(score, 0.01))) == intervals(ranks_of(score))


def test_a_row_that_lacks_many_samples_has_no_rank_and_takes_none() -> None:
    score = np.random.default_rng(7).normal(size=(40, 4)) * 0.1 + np.array([1.0, 4.0, 2.0, 3.0])
    score[:3, 1] = np.nan
    ranks = ranks_of(score)
    assert ranks.n == 40
    assert intervals(ranks) == [(3, 3, 3), (0, 0, 0), (2, 2, 2), (1, 1, 1)]
    assert ranks.best.tolist() == [False, False, False, True]
    assert not ranks.better[1].any()
    assert not ranks.better[:, 1].any()
    score[2, 1] = 4.0  # now it lacks two of 40
    ranks = ranks_of(score)
    assert ranks.n == 38
    assert intervals(ranks) == [(4, 4, 4), (1, 1, 1), (3, 3, 3), (2, 2, 2)]


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_few_samples_tell_nothing_apart(n: int) -> None:
    """Under four of 16 patterns of signs one is as extreme as all equal: more than 5 %."""
    score = np.arange(3.0) + np.zeros((n, 1))
    ranks = ranks_of(score)
    assert ranks.n == n
    assert not ranks.better.any()
    assert intervals(ranks) == ([(1, 3 - i, 3) for i in range(3)] if n else [(0, 0, 0)] * 3)


def test_six_samples_may() -> None:
    """One of 64 patterns of signs is as extreme."""
    score = np.arange(3.0) + np.zeros((6, 1))
    assert intervals(ranks_of(score)) == [(3, 3, 3), (2, 2, 2), (1, 1, 1)]
    assert not ranks_of(score[:5]).better.any()  # and either side of 32, which is more than 5 %


def test_one_row_is_the_first_and_no_row_is_nothing() -> None:
    one = ranks_of(np.random.default_rng(6).normal(size=(10, 1)))
    assert intervals(one) == [(1, 1, 1)]
    assert one.best.tolist() == [True]
    assert intervals(ranks_of(np.zeros((10, 0)))) == []


def test_equal_scores_everywhere_are_all_best() -> None:
    ranks = ranks_of(np.full((30, 4), 0.7))
    assert intervals(ranks) == [(1, 1, 4)] * 4
    assert ranks.best.all()


def test_a_row_far_off_takes_nothing_from_others_with_weights_of_their_own() -> None:
    """The middle of a pair is its own: with one for all rows, the outlier's distance times the weights drowns it."""
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        score = rng.normal(size=(100, 3)) + np.array([0.0, 0.8, 10.0])
        weight = rng.exponential(size=(100, 3)) + 0.2
        found += ranks_of(score, weight).better[1, 0]
    assert found >= 18
