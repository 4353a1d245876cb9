"""The guard against events that hardly a sample shows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from xaiboard.benchmark.statistics.ranks import prepare, rank
from xaiboard.benchmark.statistics.rare import FEWEST, UNSEEN, guarded, reach
from xaiboard.benchmark.statistics.signs import flipped_sums
from xaiboard.benchmark.toolkit.score_ranges import UNBOUNDED


def leaving(n: int, count: int, others: str = "above") -> np.ndarray:
    """A row that leaves 0 on so many of its samples."""
    row = np.zeros(n)
    row[:count] = np.arange(1, count + 1)
    row[:count] *= {"above": 1, "below": -1}.get(others, 1)
    if others == "around":
        row[:count:2] *= -1
    return np.random.default_rng(count).permutation(row)[:, None]


@pytest.mark.parametrize("others", ["above", "below", "around"])
def test_twenty_samples_are_enough_and_nineteen_are_not(others: str) -> None:
    assert FEWEST == 20
    assert guarded(leaving(100, 19, others)).tolist() == [True]
    assert guarded(leaving(100, 20, others)).tolist() == [False]


def test_guard_is_that_of_a_count_of_values() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        n = int(rng.integers(1, 60))
        score = rng.choice([0.0, 0.5, 1.0], p=rng.dirichlet(np.full(3, 0.3)), size=(n, 4))
        slow = [n - max(Counter(score[:, row].tolist()).values()) < FEWEST for row in range(4)]
        assert guarded(score).tolist() == slow


def test_nobody_of_few_samples_is_free() -> None:
    """Of twenty different scores nineteen leave any one of them."""
    assert guarded(np.arange(20.0)[:, None]).tolist() == [True]
    assert guarded(np.arange(21.0)[:, None]).tolist() == [False]
    assert guarded(np.zeros((0, 2))).tolist() == [True, True]


def test_reach_by_hand() -> None:
    """Ten events of width 2 on 100 samples move a mean by .2."""
    needed = reach(np.array([True, False, False]), np.ones((100, 3)), (-1, 1))
    np.testing.assert_allclose(needed, [[0.2, 0.2, 0.2], [0.2, 0, 0], [0.2, 0, 0]])


def test_reach_of_weights_is_that_of_the_heaviest_samples() -> None:
    weight = np.ones((100, 2))
    weight[0, 1] = 5  # a share of 5 / 104
    needed = reach(np.array([True, True]), weight, (0, 1))
    np.testing.assert_allclose(needed[0, 0], UNSEEN / 100)
    np.testing.assert_allclose(needed[0, 1], UNSEEN * 5 / 104)
    np.testing.assert_allclose(needed, needed.T)


def test_without_bounds_nothing_reaches() -> None:
    needed = reach(np.array([True, False, False]), np.ones((100, 3)), UNBOUNDED)
    assert np.isinf(needed).tolist() == [[True, True, True], [True, False, False], [True, False, False]]
    assert np.isinf(reach(np.array([True, False]), np.ones((100, 2)), (0, np.inf))).any()


def better(score: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    column = prepare(score, np.ones_like(score), higher_is_better=True, bounds=bounds)
    return rank(column, flipped_sums(column.means.influence)).better


def test_a_claim_about_a_guarded_row_needs_more_than_ten_events() -> None:
    """.09 and .11 of a constant row against 0, n = 100: only the latter is beyond ten events of width 1."""
    for height, claimed in ((0.09, False), (0.11, True)):
        score = np.stack([np.zeros(100), np.full(100, height)], 1)
        assert better(score, (0, 1))[1, 0] == claimed
        assert not better(score, UNBOUNDED).any()


def test_the_guard_leaves_claims_about_other_rows_alone() -> None:
    rng = np.random.default_rng(1)
    score = rng.uniform(size=(200, 3)) * np.array([1, 0.5, 0]) + np.array([0, 0, 0.3])
    assert better(score, UNBOUNDED).tolist() == [[False, True, False], [False] * 3, [False] * 3]
