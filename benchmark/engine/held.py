"""Values of many samples: in memory as long as there is room, beyond it on the disk, batch by batch and compressed."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import torch
from torch import Tensor

from ..toolkit.files import writing

ROOM = 2**25
"""Bytes of maps and perturbed images that are in memory at a time where others may be on the disk; also of images.

It is room for 54 images of 227 x 227 in float32.
"""

_CODEC = pa.Codec("zstd", compression_level=1)
"""Packs and unpacks about a gigabyte a second: an image of 227 x 227 in less than a millisecond."""


class _Batch(NamedTuple):
    """Consecutive samples in a file, and where their bytes are."""

    start: int
    stop: int
    place: int
    size: int


class OnDisk:
    """Rows of a tensor in a file without a name, which is gone with the object, and with the process.

    Args:
        folder: on whose disk the file is.
        batches: consecutive rows, ``(B, ...)`` on the CPU.

    Raises:
        XaiboardError: the disk is full or not writable.
    """

    def __init__(self, folder: Path, batches: Iterable[Tensor]) -> None:
        self._batches: list[_Batch] = []
        with writing(folder):
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is closed with the object
        weakref.finalize(self, self._file.close)
        for batch in batches:
            self._dtype, self._shape = batch.dtype, batch.shape[1:]
            packed = _CODEC.compress(batch.contiguous().flatten().view(torch.uint8).numpy())
            start, place = len(self), self._file.tell()
            with writing(folder):
                self._file.write(packed)
                self._file.flush()
            self._batches.append(_Batch(start, start + len(batch), place, packed.size))

    def __len__(self) -> int:
        return self._batches[-1].stop if self._batches else 0

    def __getitem__(self, rows: slice) -> Tensor:
        """Some consecutive rows, at least one. They are read anew, so that nobody shares their memory."""
        start, stop, _ = rows.indices(len(self))
        parts = [
            self._read(batch)[max(start - batch.start, 0) : stop - batch.start]
            for batch in self._batches
            if batch.start < stop and start < batch.stop
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _read(self, batch: _Batch) -> Tensor:
        shape = torch.Size([batch.stop - batch.start, *self._shape])
        self._file.seek(batch.place)
        unpacked = _CODEC.decompress(self._file.read(batch.size), shape.numel() * self._dtype.itemsize)
        return torch.frombuffer(unpacked, dtype=self._dtype).view(shape)


class ReadAnew:
    """Rows that are read each time they are asked for.

    Args:
        read: the rows of a slice.
        rows: how many there are.
    """

    def __init__(self, read: Callable[[slice], Tensor], rows: int) -> None:
        self._read, self._rows = read, rows

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, rows: slice) -> Tensor:
        """Some consecutive rows."""
        return self._read(rows)


Held = Tensor | OnDisk
"""A value of many samples."""


def hold(batches: Iterator[Tensor], rows: int, room: float, folder: Path | None) -> Held:
    """A value that comes in batches: as one tensor where there is room for it or no folder, else on the disk.

    Args:
        batches: consecutive rows, ``(B, ...)``.
        rows: how many there will be.
        room: bytes of memory.
        folder: on whose disk the value may be.

    Raises:
        XaiboardError: the disk is full or not writable.
    """
    first = next(batches)
    each = chain([first], batches)
    if folder is None or first.nbytes / len(first) * rows <= room:
        return torch.cat(list(each))
    return OnDisk(folder, each)
