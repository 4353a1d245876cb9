"""Ranges of scores: in files, in words, and with room for rounding."""

from __future__ import annotations

import json
from math import inf

import pytest
from xaiboard.benchmark.toolkit.score_ranges import (
    UNBOUNDED,
    ScoreRange,
    in_range,
    range_from_json,
    range_to_json,
    range_words,
)

CASES = [
    ((0, 1), [0.0, 1.0], "0 to 1"),
    ((-1, 1), [-1.0, 1.0], "-1 to 1"),
    ((0, inf), [0.0, None], "at least 0"),
    ((-inf, 1), [None, 1.0], "at most 1"),
    (UNBOUNDED, [None, None], "unbounded"),
]


@pytest.mark.parametrize(("bounds", "kept", "words"), CASES)
def test_files_and_words(bounds: ScoreRange, kept: list[float | None], words: str) -> None:
    assert range_to_json(bounds) == kept
    json.dumps(range_to_json(bounds), allow_nan=False)
    assert range_from_json(range_to_json(bounds)) == bounds
    assert range_words(bounds) == words


def test_what_is_not_declared_has_no_bounds() -> None:
    assert range_from_json(range_to_json(None)) == UNBOUNDED


def test_the_bounds_belong_to_the_range_and_rounding_does_not_leave_it() -> None:
    assert all(in_range(score, (0, 1)) for score in (0, 1, 0.5, -9e-6, 1 + 9e-6))
    assert not any(in_range(score, (0, 1)) for score in (-2e-5, 1 + 2e-5, inf))
    assert in_range(1000.009, (0, 1000))
    assert not in_range(1000.02, (0, 1000))
    assert all(in_range(score, UNBOUNDED) for score in (-1e30, 1e30))
    assert not in_range(-1, (0, inf))
