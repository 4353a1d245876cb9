"""IDX, the file format of MNIST: a magic number, the sizes of the array (big-endian), then its bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping, Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import Literal

import numpy as np

from ...errors import XaiboardError
from ...toolkit.data import Data
from .arrays import as_data
from .files import download, find_files
from .limits import OF_DATA

UNSIGNED_BYTE = 8
"""IDX's code for arrays of unsigned bytes."""


CHUNK = 2**24
"""Bytes that are read at a time."""


def load_idx(
    dataset: str,
    split: Literal["train", "test"],
    *,
    url: str,
    md5: Mapping[str, str],
    classes: Sequence[str],
) -> Data:
    """A split of a data set whose files have the names of MNIST's, images ``(N, 1, H, W)``.

    Args:
        dataset: name of the data set and of its folder in ``XAIBOARD_DATA``.
        split: ``train``, or ``test`` whose files are named ``t10k``.
        url: where the gzipped files are; ends in a slash.
        md5: checksum of each gzipped file, by name without ``.gz``.
        classes: names of the classes.

    Raises:
        XaiboardError: files are missing or damaged, or there are not as many labels as images.
    """
    prefix = {"train": "train", "test": "t10k"}[split]
    names = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    paths = find_files(dataset, [(f"{name}.gz", name) for name in names]) or [
        download(dataset, f"{name}.gz", f"{url}{name}.gz", md5[name]) for name in names
    ]
    pixels, label = read_idx(paths[0], dimensions=3), read_idx(paths[1], dimensions=1)
    if len(pixels) != len(label):
        raise XaiboardError(
            f"'{paths[0]}' has {len(pixels)} images and '{paths[1].name}' has {len(label)} labels, "
            "expected as many; replace the file that does not belong"
        )
    return as_data(pixels[:, None], label, classes, paths[1])


def read_idx(path: Path, *, dimensions: int) -> np.ndarray:
    """The array in an IDX file of unsigned bytes, gzipped if its name ends in ``.gz``; uint8, read-only.

    Raises:
        XaiboardError: the file is not gzip or not IDX, or has another number of dimensions or of bytes.
    """
    header = 4 * (1 + dimensions)
    magic = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(header)
            shape = tuple(int(size) for size in np.frombuffer(head[4 : len(head) // 4 * 4], dtype=">u4"))
            announced = math.prod(shape)
            content = _read(file, min(announced, OF_DATA.bytes) + 1)
        if len(content) > OF_DATA.bytes:
            OF_DATA.check(announced)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise XaiboardError(
            f"'{path}' cannot be read ({error}), expected a complete IDX file, gzipped if named .gz; replace the file"
        ) from error
    if head[:4] != magic or len(head) < header:
        raise XaiboardError(
            f"'{path}' starts with the bytes '{head[:4].hex(' ')}', expected '{magic.hex(' ')}' and {dimensions} "
            "sizes, as an IDX file does; replace the file"
        )
    if len(content) != announced:
        came = f"{len(content)} or more" if len(content) > announced else len(content)
        raise XaiboardError(
            f"'{path}' announces {' x '.join(map(str, shape))} bytes of data and has {came}; replace the file"
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _read(file: BufferedIOBase, most: int) -> bytes:
    """What is left of a file, but not more than so many bytes; room is taken for what there is, not for ``most``."""
    parts, left = [], most
    while left and (part := file.read(min(left, CHUNK))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
