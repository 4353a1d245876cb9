"""The maps that a run keeps of its first samples, and their images: ``maps.parquet`` and ``images.parquet``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from .damage import DamagedError
from .seal import check_sealed

MAPS, IMAGES = "maps.parquet", "images.parquet"

LONGEST = 112
"""Longer side of a kept map or image in pixels; larger ones are means of blocks. Vectors keep their length."""

LARGEST = 127
"""A map is stored in whole steps from ``-LARGEST`` to ``LARGEST``."""

MAP = ["dataset", "model", "method", "sample", "height", "width", "scale", "map"]
IMAGE = ["dataset", "sample", "channels", "height", "width", "pixels"]

IDENTITY = "identity"
"""A further column of ``maps.parquet``: a digest of what could change the map, by which an earlier run's are known."""


def read_maps(folder: Path) -> pd.DataFrame:
    """``maps.parquet``: one row for each kept attribution, see :func:`map_of`; no rows where the run keeps none.

    Raises:
        DamagedError: it cannot be read, or it is not as it was written.
    """
    return read_identified(folder)[MAP]


def read_images(folder: Path) -> pd.DataFrame:
    """``images.parquet``: one row for each sample of which maps are kept, see :func:`image_of`; no rows without maps.

    Raises:
        DamagedError: it cannot be read, or it is not as it was written.
    """
    table = _read(folder, IMAGES, IMAGE)
    return _of_right_size(folder / IMAGES, table, table["pixels"], ["channels", "height", "width"])


def read_identified(folder: Path) -> pd.DataFrame:
    """As :func:`read_maps`, with the column ``identity``."""
    table = _read(folder, MAPS, [*MAP, IDENTITY])
    return _of_right_size(folder / MAPS, table, table["map"], ["height", "width"])


def map_of(row: Mapping[Any, Any] | pd.Series) -> np.ndarray:
    """The attribution in a row of :func:`read_maps`, summed over channels, signed, float32 ``(H, W)``.

    A vector of ``F`` features is ``(1, F)``. Each value is exact to ``scale / 254``, where ``scale`` is the largest
    absolute value of the map.
    """
    steps = np.frombuffer(row["map"], np.int8).reshape(row["height"], row["width"])
    return steps.astype(np.float32) / np.float32(LARGEST) * np.float32(row["scale"])


def image_of(row: Mapping[Any, Any] | pd.Series) -> np.ndarray:
    """The image in a row of :func:`read_images`, in ``[0, 1]``, float32 ``(C, H, W)``; a vector is ``(1, 1, F)``."""
    pixels = np.frombuffer(row["pixels"], np.uint8).reshape(row["channels"], row["height"], row["width"])
    return pixels.astype(np.float32) / np.float32(255)


def _read(folder: Path, name: str, columns: list[str]) -> pd.DataFrame:
    path = folder / name
    check_sealed(folder, name)
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    try:
        return pq.read_table(path, columns=columns).to_pandas()[columns]
    except Exception as error:  # a decoder of damaged bytes may raise anything
        raise _damaged(path, error) from None


def _of_right_size(path: Path, table: pd.DataFrame, content: pd.Series, sides: list[str]) -> pd.DataFrame:
    """The table, if each row has as many bytes as its sides say.

    Raises:
        DamagedError: one has not.
    """
    if len(table) and not (content.str.len() == table[sides].prod(axis=1)).all():
        raise _damaged(path, "a row has another number of bytes than its sides say")
    return table


def _damaged(path: Path, found: object) -> DamagedError:
    return DamagedError(path, found, "restore it, or delete it and make it anew with 'xaiboard run --maps'")
