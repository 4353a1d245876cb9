"""The step-down test against plain loops: written from its formulas, and from the paper's with Gaussian draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from xaiboard.benchmark.statistics.means import means
from xaiboard.benchmark.statistics.ranks import prepare, rank
from xaiboard.benchmark.statistics.signs import flipped_sums
from xaiboard.benchmark.statistics.step_down import critical_value, scales, told_apart

DRAWS = 300

Pairs = set[tuple[int, int]]


def slow_signs(n: int) -> list[list[int]]:
    """±1 of each draw and sample: bits of 64-bit words, lowest first, a whole number of words for each draw."""
    width = (n + 63) // 64
    words = [int(word) for word in np.random.Philox(key=n).random_raw(DRAWS * width)]
    return [
        [1 if words[draw * width + i // 64] >> (i % 64) & 1 else -1 for i in range(n)]
        for draw in range(DRAWS)
    ]


def slow_step_down(statistic: list[list[float]], drawn: list[list[list[float]]], pairs: Pairs) -> Pairs:
    """Rejected pairs, from the statistic of each pair and from what it is under each draw."""
    left, rejected = set(pairs), set()
    while left:
        highest = sorted(max(one[j][k] for j, k in left) for one in drawn)
        critical = highest[math.ceil(0.95 * (len(drawn) + 1)) - 1]
        found = {(j, k) for j, k in left if statistic[j][k] > critical * (1 + 1e-5)}
        if not found:
            break
        rejected |= found
        left -= found
    return rejected


def slow_signs_test(x: list[list[float]], w: list[list[float]]) -> Pairs:
    """Pairs ``(j, k)`` where j is beyond doubt better, of scores and weights ``x[i][j]``; one formula a line."""
    n, m = len(x), len(x[0])
    total = [math.fsum(w[i][j] for i in range(n)) for j in range(m)]
    mean = [math.fsum(w[i][j] * x[i][j] for i in range(n)) / total[j] for j in range(m)]
    share = [[w[i][j] / (total[j] / n) for j in range(m)] for i in range(n)]

    def value(i: int, j: int, k: int) -> float:
        """Of row j against row k: the score less the middle of the two means, times its weight."""
        return share[i][j] * (x[i][j] - (mean[j] + mean[k]) / 2)

    z = [[[value(i, j, k) - value(i, k, j) for k in range(m)] for j in range(m)] for i in range(n)]
    q = [[math.fsum(z[i][j][k] ** 2 for i in range(n)) for k in range(m)] for j in range(m)]
    most = max(max(row) for row in q)
    s = [[value**-0.5 if value > 1e-12 * most else 0.0 for value in row] for row in q]
    t = [[n * (mean[j] - mean[k]) * s[j][k] for k in range(m)] for j in range(m)]
    drawn = []
    for signs in slow_signs(n):
        g = [[sum(signs[i] * z[i][j][k] for i in range(n)) for k in range(m)] for j in range(m)]
        drawn.append([[g[j][k] * s[j][k] for k in range(m)] for j in range(m)])
    return slow_step_down(t, drawn, {(j, k) for j in range(m) for k in range(m) if s[j][k] > 0})


def slow_gaussian_test(x: list[list[float]], normal: list[list[float]]) -> Pairs:
    """Mogstad et al. 2024, one-sided step-down of all ordered pairs; normal draws make up N(0, Σ) from the data."""
    n, m = len(x), len(x[0])
    mean = [math.fsum(x[i][j] for i in range(n)) / n for j in range(m)]
    covariance = [
        [math.fsum((x[i][j] - mean[j]) * (x[i][k] - mean[k]) for i in range(n)) / n**2 for k in range(m)]
        for j in range(m)
    ]
    variance = [
        [covariance[j][j] + covariance[k][k] - 2 * covariance[j][k] for k in range(m)] for j in range(m)
    ]
    pairs = {(j, k) for j in range(m) for k in range(m) if variance[j][k] > 1e-12 * covariance[j][j]}

    def studentised(value: list[float]) -> list[list[float]]:
        return [
            [(value[j] - value[k]) / variance[j][k] ** 0.5 if (j, k) in pairs else 0.0 for k in range(m)]
            for j in range(m)
        ]

    centred = [
        [math.fsum(g[i] * (x[i][j] - mean[j]) for i in range(n)) / n for j in range(m)] for g in normal
    ]
    return slow_step_down(studentised(mean), [studentised(value) for value in centred], pairs)


def table(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and weights of 2 to 8 rows and 5 to 60 samples; some tables have ties, copies, weights or an offset."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(5, 61)), int(rng.integers(2, 9))
    score = rng.normal(size=(n, m)) + rng.normal(size=(n, 1)) + rng.uniform(0, 2) * np.arange(m)
    if seed % 3 == 1:
        score = np.rint(score)
    if seed % 4 == 1:
        score[:, -1] = score[:, 0]
    score += (0, 0, 1e4, 1e6, 0)[seed % 5]
    weight = np.ones_like(score)
    if seed % 2:
        weight = rng.exponential(size=(n, 1)) * weight if seed % 7 else rng.exponential(size=(n, m))
    return score, weight


def test_signs_against_loops() -> None:
    found_any = steps = 0
    for seed in range(60):
        score, weight = table(seed)
        column = prepare(score, weight, higher_is_better=True)
        column = column._replace(needed=np.zeros_like(column.needed))
        ranks = rank(column, flipped_sums(column.means.influence)[:, :DRAWS])
        slow = slow_signs_test(score.tolist(), weight.tolist())
        assert set(zip(*map(list, np.nonzero(ranks.better)), strict=True)) == slow, seed
        m = score.shape[1]
        for j in range(m):
            assert ranks.low[j] == 1 + sum((k, j) in slow for k in range(m))
            assert ranks.high[j] == m - sum((j, k) in slow for k in range(m))
        found_any += bool(slow)
        steps += 0 < len(slow) < m * (m - 1) // 2
    assert found_any > 30, "tables in which nothing is found test little"
    assert steps > 15, "nor do tables in which everything is"


def test_gaussian_draws_against_loops() -> None:
    found_any = 0
    for seed in range(0, 60, 2):
        score, _ = table(seed)
        n = len(score)
        normal = np.random.default_rng(seed).normal(size=(DRAWS, n))
        found = means(score, np.ones_like(score))
        scale = scales(found.influence, found.influence)
        statistic = n * (found.mean[:, None] - found.mean[None, :]) * scale
        better, _ = told_apart(statistic, (normal @ found.influence).T, scale)
        slow = slow_gaussian_test(score.tolist(), normal.tolist())
        assert set(zip(*map(list, np.nonzero(better)), strict=True)) == slow, seed
        found_any += bool(slow)
    assert found_any > 15


def test_a_later_step_finds_more() -> None:
    """Three rows: the first differs by so much that its pairs leave, and the rest has a smaller critical value."""
    statistic = np.array([[0.0, 9, 9], [-9, 0, 2.0], [-9, -2.0, 0]])
    scale = 1 - np.eye(3)
    sums = np.zeros((3, 1000))
    sums[0] = np.linspace(-5, 5, 1000)  # differences from the first row reach 4.75, those of the others 0
    better, critical = told_apart(statistic, sums, scale)
    assert critical == pytest.approx(4.75, abs=0.01)
    # With (0, 1) and (0, 2) gone the reverses are left, whose maximum has the same quantile by symmetry.
    assert better.tolist() == [[False, True, True], [False] * 3, [False] * 3]
    sums[0] = -np.abs(
        np.linspace(-5, 5, 1000)
    )  # now the first row is never ahead: the pairs that leave set no bound
    sums[1] = sums[2] = sums[0]
    sums[0] = 0.0
    better, critical = told_apart(statistic, sums, scale)
    assert critical == pytest.approx(4.75, abs=0.01)
    assert better.tolist() == [[False, True, True], [False, False, True], [False] * 3]


@pytest.mark.parametrize(("draws", "place"), [(19, 19), (99, 95), (300, 286), (5000, 4751)])
def test_critical_value_is_an_order_statistic(draws: int, place: int) -> None:
    """The ceil(.95 (B + 1))-th smallest, so that a new draw exceeds it with at most 5 %."""
    values = np.random.default_rng(0).permutation(np.arange(1.0, draws + 1))
    assert critical_value(values) == place


def test_too_few_draws_have_no_critical_value() -> None:
    assert critical_value(np.arange(18.0)) == math.inf
