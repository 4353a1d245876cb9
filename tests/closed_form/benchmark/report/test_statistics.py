"""The paired bootstrap against slow loops, hand examples and its own promises."""

from __future__ import annotations

import numpy as np
import pytest
from xaiboard.benchmark.report.bootstrap import (
    LEVEL,
    RESAMPLES,
    holm,
    interval,
    rank_intervals,
    resampled_counts,
    weighted_means,
)


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_counts_draw_n_samples_each_time_and_are_always_the_same() -> None:
    counts = resampled_counts(17)
    assert counts.shape == (RESAMPLES, 17)
    assert (counts.sum(1) == 17).all()
    assert (counts >= 0).all()
    np.testing.assert_array_equal(counts, resampled_counts(17))
    assert abs(counts.mean(0) - 1).max() < 5 / RESAMPLES**0.5
    assert abs(counts.var(0) - (1 - 1 / 17)).max() < 0.2
    np.testing.assert_array_equal(counts[:2, :6], [[2, 0, 1, 0, 3, 0], [1, 1, 2, 2, 1, 2]])


def test_counts_of_one_and_of_no_sample() -> None:
    assert (resampled_counts(1) == 1).all()
    assert resampled_counts(0).shape == (RESAMPLES, 0)


def test_means_are_those_of_a_slow_loop() -> None:
    rng = generator(0)
    score, weight = rng.normal(size=(9, 3)), rng.uniform(0.1, 1, size=(9, 3))
    counts = resampled_counts(9)
    means = weighted_means(counts, score, weight)
    for r in (0, 1, 77, RESAMPLES - 1):
        drawn = [sample for sample in range(9) for _ in range(int(counts[r, sample]))]
        for m in range(3):
            total = sum(weight[sample, m] for sample in drawn)
            mean = sum(score[sample, m] * weight[sample, m] for sample in drawn) / total
            assert means[r, m] == pytest.approx(mean, rel=1e-12)


def test_weighted_mean_is_a_ratio_of_sums() -> None:
    score, weight = np.array([[1.0], [2.0], [50.0]]), np.array([[3.0], [1.0], [0.0]])
    assert weighted_means(np.ones((1, 3)), score, weight) == pytest.approx(5 / 4)
    assert np.isnan(weighted_means(np.ones((1, 3)), score, np.zeros((3, 1)))).all()


def test_interval_is_the_percentile_interval() -> None:
    means = np.stack(
        [np.arange(1001.0), np.full(1001, np.nan), np.where(np.arange(1001) < 5, np.nan, 3.0)], 1
    )
    low, high = interval(means)
    assert low[0] == pytest.approx(1000 * (1 - LEVEL) / 2)
    assert high[0] == pytest.approx(1000 * (1 + LEVEL) / 2)
    assert np.isnan(low[1])
    assert np.isnan(high[1])
    assert (low[2], high[2]) == (3, 3)


def test_interval_of_the_mean_covers_it() -> None:
    """Gaussian, n = 50: the percentile bootstrap covers about 94 %; three standard errors of 1000 trials below."""
    score = generator(1).normal(size=(50, 1000)) + 2
    low, high = interval(weighted_means(resampled_counts(50), score, np.ones_like(score)))
    covered = ((low <= 2) & (high >= 2)).mean()
    assert 0.92 <= covered <= 0.965
    assert np.mean(high - low) == pytest.approx(2 * 1.96 / 50**0.5, rel=0.05)


def test_holm_by_hand() -> None:
    """Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, made to ascend."""
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03, 0.02])), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.5, 0.001, 0.6])), [1.0, 0.003, 1.0])
    assert holm(np.array([])).shape == (0,)


def test_holm_against_its_definition() -> None:
    """Hypothesis i is rejected at a iff every hypothesis up to it, in order of p, passes a / (m - rank)."""
    p = generator(2).uniform(0, 0.1, size=12)
    adjusted = holm(p)
    for level in np.linspace(0.001, 0.3, 50):
        rejected = set()
        for step, index in enumerate(np.argsort(p)):
            if p[index] > level / (12 - step):
                break
            rejected.add(index)
        assert set(np.flatnonzero(adjusted <= level)) == rejected


def ranks_of(score: np.ndarray) -> list[tuple[int, int, int]]:
    n = len(score)
    weight = np.ones_like(score)
    mean = weighted_means(np.ones((1, n)), score, weight)[0]
    found = rank_intervals(mean, weighted_means(resampled_counts(n), score, weight), (weight != 0).sum(0))
    return [tuple(map(int, row)) for row in zip(*found, strict=True)]  # pyright: ignore[reportReturnType]


def test_rows_far_apart_have_exact_ranks() -> None:
    score = generator(3).normal(size=(40, 4)) * 0.1 + np.array([1.0, 4.0, 2.0, 3.0])
    assert ranks_of(score) == [(4, 4, 4), (1, 1, 1), (3, 3, 3), (2, 2, 2)]


def test_identical_rows_share_rank_and_interval() -> None:
    row = generator(4).normal(size=(40, 1))
    assert ranks_of(np.hstack([row, row, row])) == [(1, 1, 3)] * 3
    assert ranks_of(np.hstack([row, row + 5, row])) == [(2, 2, 3), (1, 1, 1), (2, 2, 3)]


def test_noise_alone_cannot_be_told_apart() -> None:
    """Over 100 tables of equal rows, Holm keeps a false difference to about 5 % of the tables."""
    false = sum(
        any(low > 1 or high < 4 for _, low, high in ranks_of(generator(100 + seed).normal(size=(60, 4))))
        for seed in range(100)
    )
    assert false <= 12


def test_pairing_tells_rows_apart_whose_own_intervals_overlap() -> None:
    rng = generator(5)
    common = rng.normal(size=(50, 1)) * 10
    score = common + np.array([0.0, 0.5]) + 0.3 * rng.normal(size=(50, 2))
    low, high = interval(weighted_means(resampled_counts(50), score, np.ones_like(score)))
    assert low[1] < high[0]
    assert ranks_of(score) == [(2, 2, 2), (1, 1, 1)]
    shuffled = np.stack([score[:, 0], rng.permutation(score[:, 1])], 1)
    assert [row[1:] for row in ranks_of(shuffled)] == [(1, 2), (1, 2)]


def test_a_rank_lies_in_its_interval() -> None:
    for seed in range(20):
        score = generator(seed).normal(size=(15, 6)) + np.linspace(0, 1, 6)
        assert all(low <= rank <= high for rank, low, high in ranks_of(score))


def test_one_row_is_the_first() -> None:
    assert ranks_of(generator(6).normal(size=(10, 1))) == [(1, 1, 1)]
