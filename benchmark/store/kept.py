"""Puts the maps of a run beside those that earlier runs left in its folder; writes and seals them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import warn
from .damage import DamagedError
from .maps import IDENTITY, IMAGE, IMAGES, MAP, MAPS, read_identified, read_images
from .merging import joined
from .seal import replace_sealed

Explained = tuple[str, str, str]
"""Whose maps are meant: data set, model, method with its settings."""

PAIR, SAMPLE = ["dataset", "model", "method"], ["dataset", "sample"]

_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys([*PAIR, IDENTITY], pa.string()),
    **dict.fromkeys(["height", "width", "channels"], pa.int32()),
    **dict.fromkeys(["map", "pixels"], pa.binary()),
    "sample": pa.int64(),
    "scale": pa.float32(),
}


class Kept(NamedTuple):
    """Maps with their identities, and the images that they explain.

    Args:
        maps: as :func:`~.maps.read_identified` returns them.
        images: as :func:`~.maps.read_images` returns them.
    """

    maps: pd.DataFrame
    images: pd.DataFrame

    @classmethod
    def of(cls, maps: Sequence[Mapping[str, Any]] = (), images: Sequence[Mapping[str, Any]] = ()) -> Kept:
        """Of rows."""
        return cls(pd.DataFrame(maps, columns=[*MAP, IDENTITY]), pd.DataFrame(images, columns=IMAGE))

    def __str__(self) -> str:
        models, methods = self.maps["model"].nunique(), self.maps["method"].nunique()
        return f"{len(self.maps)} maps of {len(self.images)} images, by {methods} methods on {models} models"

    def beside(self, earlier: Kept) -> Kept:
        """These and the ``earlier`` ones; of one sample these count, and of a pair those with the newest identity."""
        maps = _newest([earlier.maps, self.maps], [*PAIR, "sample"])
        if len(maps):
            newest = maps.groupby(PAIR, sort=False)[IDENTITY].transform("last")
            maps = maps[maps[IDENTITY] == newest]
        return Kept(maps, _newest([earlier.images, self.images], SAMPLE))

    def right(self, identities: Mapping[Explained, str]) -> Kept:
        """Less the maps of which is known that they have another identity now."""
        pairs = zip(_tuples(self.maps, PAIR), self.maps[IDENTITY], strict=True)
        return Kept(
            _where(self.maps, (identities.get(pair, known) == known for pair, known in pairs)), self.images
        )

    def named_in(self, cells: pd.DataFrame) -> Kept:
        """The maps of those models and methods that a table of cells names, and their images."""
        named = set(_tuples(cells, PAIR))
        maps = _where(self.maps, (pair in named for pair in _tuples(self.maps, PAIR)))
        of_maps = set(_tuples(maps, SAMPLE))
        return Kept(maps, _where(self.images, (sample in of_maps for sample in _tuples(self.images, SAMPLE))))


def read_kept(folder: Path) -> Kept:
    """The maps and images in the folder of a run; none, with a warning, where one file is damaged."""
    try:
        return Kept(read_identified(folder), read_images(folder))
    except DamagedError as damage:
        warn(f"{damage.what}: kept maps are left out, and those that this run keeps are made anew")
        return Kept.of()


def write_kept(folder: Path, kept: Kept) -> None:
    """Replaces and seals ``maps.parquet`` and ``images.parquet``; writes neither where there were and are no maps.

    Raises:
        XaiboardError: the disk is full or not writable, or ``run.json`` is damaged.
    """
    if not len(kept.maps) and not (folder / MAPS).exists():
        return
    writers: dict[str, Callable[[Path], object]] = {
        MAPS: lambda path: _write(kept.maps.sort_values([*PAIR, "sample"]), path),
        IMAGES: lambda path: _write(kept.images.sort_values(SAMPLE), path),
    }
    replace_sealed(folder, writers)


def _newest(tables: Sequence[pd.DataFrame], key: list[str]) -> pd.DataFrame:
    """One table below the other; of several rows of one key the last."""
    return joined(tables, list(map(str, tables[0]))).drop_duplicates(key, keep="last")


def _where(table: pd.DataFrame, holds: Iterable[bool]) -> pd.DataFrame:
    return table[np.fromiter(holds, bool, len(table))]


def _tuples(table: pd.DataFrame, columns: list[str]) -> list[Any]:
    return list(table[columns].itertuples(index=False, name=None))


def _write(table: pd.DataFrame, path: Path) -> None:
    types = {str(name): _TYPES[str(name)] for name in table}
    schema = pa.schema(list(types.items()))
    arrow = pa.Table.from_pandas(table, schema, preserve_index=False).replace_schema_metadata(None)
    words: Any = [name for name, kind in types.items() if kind == pa.string()]
    pq.write_table(arrow, path, compression="zstd", compression_level=12, use_dictionary=words)
