"""Which rows and samples are compared where scores are missing."""

from __future__ import annotations

import numpy as np
import pytest
from xaiboard.benchmark.statistics.complete import complete


def scores(n: int, *missing: int) -> tuple[np.ndarray, np.ndarray]:
    """As many rows as numbers are given, whose last so many scores are missing."""
    score = np.ones((n, len(missing)))
    for row, count in enumerate(missing):
        score[n - count :, row] = np.nan
    return score, np.ones_like(score)


@pytest.mark.parametrize("n", [20, 40, 60, 100, 140, 1000, 1980])
def test_a_row_may_lack_a_twentieth_and_no_more(n: int) -> None:
    samples, rows = complete(*scores(n, 0, n // 20, n // 20 + 1))
    assert rows.tolist() == [True, True, False]
    assert samples.sum() == n - n // 20


def test_a_row_that_is_left_out_takes_no_sample_from_the_others() -> None:
    samples, rows = complete(*scores(50, 0, 30, 0))
    assert rows.tolist() == [True, False, True]
    assert samples.all()


def test_samples_are_those_that_all_rows_have() -> None:
    score, weight = scores(40, 0, 0, 0)
    score[3, 0] = score[7, 1] = np.nan
    weight[9, 2] = 0  # as good as missing
    samples, rows = complete(score, weight)
    assert rows.all()
    assert np.flatnonzero(~samples).tolist() == [3, 7, 9]


def test_a_sample_that_no_row_has_is_not_missing() -> None:
    """Half of the samples lost their prediction: nobody lacks them."""
    score, weight = scores(40, 0, 0)
    weight[:20] = 0
    samples, rows = complete(score, weight)
    assert rows.all()
    assert samples.tolist() == [False] * 20 + [True] * 20


def test_a_sample_that_one_row_lacks_counts_among_those_that_are_there() -> None:
    """Two of the 20 samples that are there are more than a twentieth of these, though not of all 40."""
    score, weight = scores(40, 0, 0)
    weight[:20] = 0
    score[20:22, 1] = np.nan
    assert complete(score, weight)[1].tolist() == [True, False]


def test_weights_that_cancel_give_no_mean_to_rank() -> None:
    score, weight = scores(4, 0, 0)
    weight[:, 1] = [1, -1, 1, -1]
    assert complete(score, weight)[1].tolist() == [True, False]


def test_nothing_is_left_of_nothing() -> None:
    for n, weight in ((0, 1.0), (5, 0.0)):
        samples, rows = complete(np.ones((n, 3)), np.full((n, 3), weight))
        assert not samples.any()
        assert not rows.any()
    samples, rows = complete(np.ones((5, 0)), np.ones((5, 0)))
    assert samples.shape == (5,)
    assert rows.shape == (0,)
