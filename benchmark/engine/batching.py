"""Runs a function over batches of samples: as large as the memory of a network allows, halved where that runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

from ..errors import XaiboardError

T = TypeVar("T")

AUTO = {"cpu": 64, "cuda": 512}
"""Batch size to begin with, by device. Measured to be near the fastest for small networks."""


MOST_BYTES = 2**27
"""Memory on the CPU that a network may keep of a batch for the backward pass.

A gradient takes a third more than this, and an attack that differentiates the map of a smooth copy of the network up
to ten times as much; so a batch stays near 1 GiB. A network that keeps so much is as fast in small batches.
"""


class Batcher:
    """Splits ``n`` samples into batches; a batch that runs out of memory is retried at half the size.

    The rest of the same call keeps the smaller size, and the next call begins with the first one: whatever memory a
    component takes, the batches of others, and thus the last digits of their scores, are those of a run without it.

    Args:
        size: samples in a batch, or None for a size that suits the device.
        device: ``cpu`` or ``cuda``.

    Attributes:
        size: of the batches of the call that ended last.
    """

    def __init__(self, size: int | None, device: str) -> None:
        self._on_cpu, self._automatic = torch.device(device).type == "cpu", size is None
        self.size = self._first = size or AUTO.get(torch.device(device).type, AUTO["cpu"])

    def suit(self, image_bytes: int) -> None:
        """Halves a size that was not given until a batch of the network keeps no more than ``MOST_BYTES`` on the CPU.

        Args:
            image_bytes: what the network keeps of one image for the backward pass. It is counted, not timed, so that
                the size, and with it the last digits of scores, is the same in every run.
        """
        while self._automatic and self._on_cpu and self._first > 1 and self._first * image_bytes > MOST_BYTES:
            self._first //= 2
        self.size = self._first

    def map(self, function: Callable[[slice], T], n: int) -> Iterator[T]:
        """``function(rows)`` for consecutive slices of ``n`` samples, in order.

        Raises:
            XaiboardError: one sample alone does not fit into memory.
        """
        start, size = 0, self._first
        while start < n:
            rows = slice(start, min(start + size, n))
            try:
                result = function(rows)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise XaiboardError(
                        "one sample alone does not fit into memory; use a smaller model"
                    ) from error
                size = max(1, min(size, n) // 2)
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                continue
            self.size = size
            yield result
            start = rows.stop


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on a GPU or on the CPU."""
    text = str(error)
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in text
