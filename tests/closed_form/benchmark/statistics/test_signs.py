"""Signs of samples: always the same, fair, and summed without rounding."""

from __future__ import annotations

import math

import numpy as np
import pytest
from xaiboard.benchmark.statistics.signs import (
    DRAWS,
    DRAWS_OF_LARGE,
    LARGE,
    blocks,
    draws,
    flipped_sums,
    flipped_sums_of,
    sums_of_signs,
)


def signs_of(n: int, number: int) -> np.ndarray:
    return np.concatenate(list(blocks(n, number)))


def slow_sign(words: np.ndarray, n: int, draw: int, sample: int) -> int:
    """A bit of the raw output: words of 64 bits, a whole number of them for each draw, lowest bit first."""
    width = (n + 63) // 64
    return 1 if int(words[draw * width + sample // 64]) >> (sample % 64) & 1 else -1


def test_first_signs_are_frozen() -> None:
    """A change would change every published interval."""
    assert signs_of(5, 3).tolist() == [[1, -1, -1, -1, 1], [-1, -1, -1, 1, -1], [1, 1, -1, -1, -1]]
    bits = (signs_of(70, 2) > 0).astype(np.uint8)
    assert np.packbits(bits, axis=1, bitorder="little").tolist() == [
        [16, 245, 81, 198, 57, 160, 183, 48, 9],
        [41, 147, 164, 95, 238, 37, 248, 117, 0],
    ]


@pytest.mark.parametrize("n", [1, 7, 8, 63, 64, 65, 1000])
def test_signs_are_the_bits_of_a_counter_based_generator(n: int) -> None:
    words = np.random.Philox(key=n).random_raw(DRAWS * ((n + 63) // 64))
    signs = signs_of(n, DRAWS)
    assert signs.shape == (DRAWS, n)
    for draw in (0, 1, 4193, 4194, DRAWS - 1):  # of 1,000 samples, 4,194 draws are a block
        assert signs[draw].tolist() == [slow_sign(words, n, draw, sample) for sample in range(n)]


def test_signs_do_not_depend_on_how_many_are_drawn_or_what_else_is() -> None:
    known = signs_of(33, DRAWS).copy()
    np.random.default_rng(0).normal(size=5)
    signs_of(34, 7)
    np.testing.assert_array_equal(signs_of(33, DRAWS_OF_LARGE), known[:DRAWS_OF_LARGE])
    np.testing.assert_array_equal(signs_of(33, DRAWS), known)


def test_signs_are_fair_and_independent() -> None:
    signs = signs_of(40, DRAWS)
    assert (abs(signs) == 1).all()
    assert abs(signs.mean(0)).max() < 5 / DRAWS**0.5
    assert abs(np.corrcoef(signs.T) - np.eye(40)).max() < 5 / DRAWS**0.5
    assert abs((signs[1:] * signs[:-1]).mean(0)).max() < 5 / DRAWS**0.5


def test_sums_of_whole_numbers_are_those_of_integers() -> None:
    values = np.random.default_rng(1).integers(-(10**9), 10**9, size=(50, 3))
    signs = signs_of(50, DRAWS).astype(np.int64)
    np.testing.assert_array_equal(flipped_sums(values.astype(float)), (signs @ values).T)


def test_sums_are_exact_up_to_the_rounding_of_values() -> None:
    """Each value is rounded once, to a whole number of steps, and nothing is lost after that."""
    rng = np.random.default_rng(2)
    for scale in (1e-9, 1.0, 1e9):
        n = 100
        values = rng.normal(size=(n, 2)) * scale
        found, signs = flipped_sums(values), signs_of(n, DRAWS)
        for column in range(2):
            largest = np.abs(values[:, column]).max()
            step = 2.0 ** (math.frexp(largest)[1] - 52 + n.bit_length())
            steps = [round(value / step) for value in values[:, column]]
            assert step < 2.0**-43 * largest
            for draw in (0, 17, DRAWS - 1):
                row = signs[draw].astype(int).tolist()
                whole = sum(sign * count for sign, count in zip(row, steps, strict=True))
                assert found[column, draw] == whole * step
                exact = math.fsum(sign * value for sign, value in zip(row, values[:, column], strict=True))
                assert abs(found[column, draw] - exact) <= n * step / 2


def test_sums_do_not_depend_on_order_and_company_of_the_columns() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(123, 9)) * 10.0 ** rng.integers(-6, 6, size=9)
    order = rng.permutation(9)
    found = flipped_sums(values)
    np.testing.assert_array_equal(flipped_sums(values[:, order]), found[order])
    np.testing.assert_array_equal(flipped_sums(values[:, 4:5]), found[4:5])
    np.testing.assert_array_equal(flipped_sums(np.asfortranarray(values)), found)
    np.testing.assert_array_equal(flipped_sums(-values), -found)


def test_sums_of_many_are_those_of_each() -> None:
    rng = np.random.default_rng(4)
    many = [rng.normal(size=shape) for shape in ((20, 3), (33, 2), (20, 1), (0, 2), (20, 0))]
    for found, values in zip(flipped_sums_of(many), many, strict=True):
        np.testing.assert_array_equal(found, flipped_sums(values))
        assert found.shape == (values.shape[1], DRAWS)


def test_sums_of_ones() -> None:
    for n in (0, 1, 63, 65, 300):
        np.testing.assert_array_equal(sums_of_signs(n, DRAWS), flipped_sums(np.ones((n, 1)))[0])


def test_large_columns_have_fewer_draws() -> None:
    assert draws(LARGE, 1) == draws(LARGE // 10, 10) == DRAWS == 5000
    assert draws(LARGE + 1, 1) == DRAWS_OF_LARGE == 2000
