"""CIFAR-10, binary version: records of one label byte and 3,072 pixel bytes."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from ..components.decorators import dataset
from ..errors import XaiboardError
from ..toolkit.data import Data
from .shared.arrays import as_data
from .shared.files import download, find_files
from .shared.limits import OF_DATA

ARCHIVE = "cifar-10-binary.tar.gz"
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"

BATCHES = {
    "train": [f"data_batch_{number}.bin" for number in range(1, 6)],
    "test": ["test_batch.bin"],
}
RECORD = 1 + 3 * 32 * 32
"""Bytes of a record."""

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataset(remote=True, source="Krizhevsky 2009, Learning multiple layers of features from tiny images")
def cifar10(split: Literal["train", "test"]) -> Data:
    """50,000 training and 10,000 test images ``(3, 32, 32)``, RGB.

    Raises:
        XaiboardError: files are missing or damaged.
    """
    names = BATCHES[split]
    paths = find_files("cifar10", [(f"cifar-10-batches-bin/{name}", name) for name in names])
    if paths:
        origin, batches = paths[0].parent, [_read_file(path) for path in paths]
    else:
        local = find_files("cifar10", [(ARCHIVE,)])
        origin = local[0] if local else download("cifar10", ARCHIVE, URL, MD5)
        batches = _read_archive(origin, names)
    records = np.concatenate(
        [_records(batch, origin / name) for batch, name in zip(batches, names, strict=True)]
    )
    return as_data(records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0], CLASSES, origin)


def _records(batch: bytes, origin: Path) -> np.ndarray:
    """Labels and pixels of a file, uint8 ``(N, 3073)``; ``origin`` is its path for messages."""
    if not batch or len(batch) % RECORD:
        raise XaiboardError(
            f"'{origin}' has {len(batch)} bytes, expected a multiple of {RECORD}; replace the file"
        )
    return np.frombuffer(batch, dtype=np.uint8).reshape(-1, RECORD)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise XaiboardError(
            f"'{path}' cannot be read ({error.strerror}), expected a file of CIFAR-10; replace it"
        ) from error


def _read_archive(path: Path, names: Sequence[str]) -> list[bytes]:
    """Contents of the files ``names`` in the archive. They are read into memory: nothing is written to paths in it."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                content = archive.extractfile(member) if name in names else None
                if content is not None:
                    OF_DATA.check(member.size)
                    found[name] = content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise XaiboardError(
            f"'{path}' cannot be read ({error}), expected the complete {ARCHIVE}; replace the file"
        ) from error
    missing = [name for name in names if name not in found]
    if missing:
        raise XaiboardError(f"'{path}' does not contain '{missing[0]}', as {ARCHIVE} does; replace the file")
    return [found[name] for name in names]
