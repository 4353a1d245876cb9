"""Batches cover the samples in order, and shrink when memory runs out."""

from __future__ import annotations

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.engine import batching
from xaiboard.benchmark.engine.batching import AUTO, MOST_BYTES, Batcher, is_out_of_memory
from xaiboard.benchmark.errors import XaiboardError


def rows_of(batcher: Batcher, n: int) -> list[tuple[int, int]]:
    return list(batcher.map(lambda rows: (rows.start, rows.stop), n))


@pytest.mark.parametrize(("size", "n"), [(1, 3), (4, 10), (5, 10), (64, 10), (3, 0)])
def test_batches_follow_each_other(size: int, n: int) -> None:
    expected = [(start, min(start + size, n)) for start in range(0, n, size)]
    assert rows_of(Batcher(size, "cpu"), n) == expected


def test_size_suits_the_device_unless_given() -> None:
    assert Batcher(None, "cpu").size == AUTO["cpu"]
    assert Batcher(None, "cuda:1").size == AUTO["cuda"]
    assert Batcher(7, "cpu").size == 7


@pytest.mark.parametrize(
    ("size", "device", "image_bytes", "expected"),
    [
        (None, "cpu", MOST_BYTES // AUTO["cpu"], AUTO["cpu"]),
        (None, "cpu", MOST_BYTES // 10, 8),
        (None, "cpu", 2 * MOST_BYTES, 1),
        (64, "cpu", MOST_BYTES, 64),
        (None, "cuda", MOST_BYTES, AUTO["cuda"]),
    ],
)
def test_size_suits_the_memory_of_the_network_unless_given(
    size: int | None, device: str, image_bytes: int, expected: int
) -> None:
    batcher = Batcher(size, device)
    batcher.suit(image_bytes)
    assert batcher.size == expected


def test_batches_are_as_large_as_what_a_network_keeps_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tanh keeps its output, of 64 numbers of 4 bytes; the linear layer after them keeps the same memory."""
    model, sizes = nn.Sequential(nn.Flatten(), nn.Tanh(), nn.Tanh(), nn.Linear(64, 3)).eval(), []
    kept = 2 * 64 * 4
    monkeypatch.setattr(batching, "MOST_BYTES", 4 * kept)

    def noting(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return x

    def explained() -> list[int]:
        sizes.clear()
        xb.explain(model, noting, torch.rand(8, 1, 8, 8), torch.zeros(8, dtype=torch.long))
        return list(sizes)

    assert explained() == [4, 4]
    monkeypatch.setattr(batching, "MOST_BYTES", 4 * kept - 1)
    assert explained() == [2, 2, 2, 2]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("x: can't allocate memory: y"),
    ],
)
@pytest.mark.parametrize("fits", [1, 2, 3, 7])
def test_halves_until_it_fits_and_gives_the_same_values(error: Exception, fits: int) -> None:
    x, sizes = torch.arange(23.0), []

    def square(rows: slice) -> torch.Tensor:
        sizes.append(rows.stop - rows.start)
        if sizes[-1] > fits:
            raise error
        return x[rows] ** 2

    batcher = Batcher(16, "cpu")
    assert torch.equal(torch.cat(list(batcher.map(square, 23))), x**2)
    assert batcher.size <= fits
    assert batcher.size * 2 > fits
    # each size is tried once, then kept to the end of the call
    assert len([size for size in sizes if size > fits]) == len({size for size in sizes if size > fits})


def test_the_next_call_begins_with_the_first_size() -> None:
    """What a component does with its memory is no matter of the components after it."""

    def hungry(rows: slice) -> tuple[int, int]:
        if rows.stop - rows.start > 3:
            raise MemoryError
        return rows.start, rows.stop

    batcher = Batcher(16, "cpu")
    assert list(batcher.map(hungry, 8)) == [(0, 2), (2, 4), (4, 6), (6, 8)]
    assert rows_of(batcher, 20) == [(0, 16), (16, 20)]

    def around(rows: slice) -> tuple[int, int]:
        list(batcher.map(hungry, 8))
        return rows.start, rows.stop

    assert list(batcher.map(around, 20)) == [(0, 16), (16, 20)]


def test_memory_that_runs_out_late_costs_only_the_batch() -> None:
    done: list[int] = []

    def once(rows: slice) -> None:
        if rows.start >= 4 and rows.stop - rows.start > 2:
            raise torch.OutOfMemoryError
        done.extend(range(rows.start, rows.stop))

    list(Batcher(4, "cpu").map(once, 10))
    assert done == list(range(10))


def test_few_samples_are_halved_from_their_number() -> None:
    def fails(rows: slice) -> None:
        if rows.stop - rows.start > 1:
            raise torch.OutOfMemoryError
        tried.append(rows.start)

    tried: list[int] = []
    batcher = Batcher(64, "cpu")
    list(batcher.map(fails, 3))
    assert tried == [0, 1, 2]
    assert batcher.size == 1


def test_one_sample_that_does_not_fit_is_said_in_a_sentence() -> None:
    def fails(rows: slice) -> None:
        raise torch.OutOfMemoryError

    with pytest.raises(XaiboardError, match="one sample alone does not fit into memory; use a smaller model"):
        list(Batcher(8, "cpu").map(fails, 5))


def test_other_errors_are_not_retried() -> None:
    calls = []

    def fails(rows: slice) -> None:
        calls.append(rows)
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        list(Batcher(8, "cpu").map(fails, 5))
    assert len(calls) == 1
    assert not is_out_of_memory(ValueError("no"))
