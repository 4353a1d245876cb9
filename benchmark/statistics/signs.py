"""Random signs of samples: what the differences between methods could have been, were none better than the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np

DRAWS, DRAWS_OF_LARGE, LARGE = 5000, 2000, 10**7
"""Draws of signs for a column, and for one that has more than so many scores."""

_BLOCK = 2**22
"""Signs that are held as numbers at a time."""

_HELD, _ROWS = 2 * 10**5, 500
"""Values whose sums are held at a time, about, and rows of them: of each row there are as many sums as draws."""

_Item = TypeVar("_Item")

_ONES = np.array([value.bit_count() for value in range(256)], dtype=np.uint8)


def draws(samples: int, rows: int) -> int:
    """How often signs are drawn for a column of that size."""
    return DRAWS if samples * rows <= LARGE else DRAWS_OF_LARGE


@lru_cache(maxsize=4)
def _bits(n: int, number: int) -> np.ndarray:
    """The draws as bits, a row of bytes each; always the same for a number of samples."""
    width = -(-n // 64)
    # The raw output of a counter-based generator is the same in every version of the library and on every machine;
    # its bytes are taken lowest first.
    drawn = np.random.Philox(key=n).random_raw(number * width).astype("<u8").view(np.uint8)
    bits = drawn.reshape(number, width * 8)[:, : -(-n // 8)]
    bits[:, -1:] &= 255 >> (-n % 8)  # those beyond the last sample
    return bits


@lru_cache(maxsize=4)
def _block(n: int, number: int, start: int, stop: int) -> np.ndarray:
    bits = np.unpackbits(_bits(n, number)[start:stop], axis=1, count=n, bitorder="little")
    signs = bits.astype(np.float64) * 2 - 1
    signs.flags.writeable = False
    return signs


def blocks(n: int, number: int) -> Iterator[np.ndarray]:
    """``number`` draws of ``n`` signs, 1 or -1, in blocks ``(B, n)``; the same whatever else is drawn."""
    step = max(_BLOCK // max(n, 1), 1)
    for start in range(0, number, step):
        yield _block(n, number, start, min(start + step, number))


def flipped_sums(values: np.ndarray) -> np.ndarray:
    """Sums over the samples of ``values`` under each draw of signs, ``(n, M)`` to ``(M, B)``.

    Values are rounded to as many binary digits as sums of ``n`` of them can hold, each column in its own scale, so
    that the sums are exact: the same on every machine, and for every order of the columns.
    """
    return flipped_sums_of([values])[0]


def flipped_sums_of(many: Sequence[np.ndarray]) -> list[np.ndarray]:
    """As :func:`flipped_sums` for each of many, of which those of one size are done at once, for speed alone."""
    found: list[np.ndarray] = [np.zeros((0, 0))] * len(many)
    sizes: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, values in enumerate(many):
        sizes[len(values), draws(*values.shape)].append(place)
    for (n, number), places in sizes.items():
        ends = np.cumsum([many[place].shape[1] for place in places])
        sums = _sums(np.concatenate([many[place] for place in places], axis=1), n, number)
        for place, part in zip(places, np.split(sums, ends[:-1]), strict=True):
            found[place] = part
    return found


def with_sums(items: Iterable[tuple[_Item, np.ndarray]]) -> Iterator[tuple[_Item, np.ndarray]]:
    """Each item with the :func:`flipped_sums` of its values; so many are taken at a time as fit."""
    some: list[tuple[_Item, np.ndarray]] = []
    held = 0
    for item, values in items:
        some.append((item, values))
        held += max(len(values), _HELD // _ROWS) * values.shape[1]
        if held > _HELD:
            yield from _summed(some)
            some, held = [], 0
    yield from _summed(some)


def _summed(some: Sequence[tuple[_Item, np.ndarray]]) -> Iterator[tuple[_Item, np.ndarray]]:
    sums = flipped_sums_of([values for _, values in some])
    for (item, _), of in zip(some, sums, strict=True):
        yield item, of


@lru_cache(maxsize=512)
def sums_of_signs(n: int, number: int) -> np.ndarray:
    """What a column of ones becomes under each draw, ``(B,)``."""
    sums = 2.0 * _ONES[_bits(n, number)].sum(1, dtype=np.int64) - n
    sums.flags.writeable = False
    return sums


def _sums(values: np.ndarray, n: int, number: int) -> np.ndarray:
    if not values.size:
        return np.zeros((values.shape[1], number))
    largest = np.abs(values).max(0)
    exponent = np.where(largest > 0, np.frexp(largest)[1], 0)
    digits = 52 - n.bit_length()
    whole = np.rint(np.ldexp(values, digits - exponent))
    sums = np.concatenate([signs @ whole for signs in blocks(n, number)])
    return np.ascontiguousarray(np.ldexp(sums, exponent - digits).T)
