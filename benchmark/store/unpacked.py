"""The scores of a run, unpacked once: of each block its names, and where its values are; these are read when needed.

A block is one row of the leaderboard. Its scores and weights lie in a scratch file, which is in memory while it is
small; samples, targets and labels, which many blocks share, are kept once. So a table of any length takes little
memory, and a block of it takes hardly longer to read than to copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile, gettempdir
from typing import NamedTuple
from weakref import finalize

import numpy as np
import pandas as pd

from ..errors import XaiboardError
from .columns import LABEL
from .score_runs import Run

FACTS = ["family", "metric_family", "higher_is_better", "across_models"]
"""What is known of a block besides its names."""

SHARED = ("sample", "target", "label", "correct")
"""Values that are the same in many blocks."""

IN_MEMORY = 2**27
"""Bytes of scores and weights up to which no file is written."""


class _Part(NamedTuple):
    """Where the values of a block, or of a part of it, are.

    Args:
        n: samples.
        score: where the scores begin in the scratch file.
        weight: where the weights begin, -1 if all are 1.
        shared: the values of ``SHARED``.
    """

    n: int
    score: int
    weight: int
    shared: tuple[np.ndarray, ...]


class Unpacked:
    """All blocks of some runs of rows, each whole and with its samples ascending.

    Args:
        runs: of the rows, in any order.

    Raises:
        XaiboardError: there is no room for the scratch file.

    Attributes:
        rows: names and facts of each block, in the order in which the blocks begin.
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        self._scratch = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - it lives as long as this
        finalize(self, self._scratch.close)
        self._end = 0
        self._types: dict[str, np.dtype] = {}
        self._known: dict[str, dict[bytes, np.ndarray]] = {name: {} for name in SHARED}
        parts: dict[tuple[str | int, ...], list[_Part]] = {}
        facts = []
        for run in runs:
            label = tuple(run.names[name] for name in LABEL)
            if label not in parts:
                parts[label] = []
                facts.append([run.names[name] for name in FACTS])
            parts[label].append(self._keep(run.values))
        self._parts = [self._whole(of) for of in parts.values()]
        rows = [[*label, *of] for label, of in zip(parts, facts, strict=True)]
        self.rows = pd.DataFrame(rows, columns=LABEL + FACTS).astype({"across_models": bool})

    def of(self, name: str, place: int) -> np.ndarray:
        """``score``, ``weight``, ``sample``, ``target``, ``label`` or ``correct`` of one block, ``(n,)``."""
        return self._read(name, self._parts[place])

    def _read(self, name: str, part: _Part) -> np.ndarray:
        if name in SHARED:
            return part.shared[SHARED.index(name)]
        start = part.score if name == "score" else part.weight
        if start < 0:
            return np.ones(part.n, self._types[name])
        self._scratch.seek(start)
        return np.frombuffer(self._scratch.read(part.n * self._types[name].itemsize), self._types[name])

    def _keep(self, values: dict[str, np.ndarray]) -> _Part:
        weight = values["weight"]
        self._types.setdefault("weight", weight.dtype)
        return _Part(
            len(weight),
            self._write("score", values["score"]),
            -1 if (weight == 1).all() else self._write("weight", weight),
            tuple(self._once(name, values[name]) for name in SHARED),
        )

    def _write(self, name: str, values: np.ndarray) -> int:
        start = self._end
        content = values.astype(self._types.setdefault(name, values.dtype), copy=False).tobytes()
        self._end += len(content)
        try:
            self._scratch.seek(start)
            self._scratch.write(content)
        except OSError as error:
            raise XaiboardError(
                f"cannot unpack the scores into '{gettempdir()}': {error.strerror or error}; free space there, or name"
                " another folder in TMPDIR"
            ) from error
        return start

    def _once(self, name: str, values: np.ndarray) -> np.ndarray:
        """The same values, which are one array for all blocks that have them."""
        content = values.tobytes()
        return self._known[name].setdefault(content, np.frombuffer(content, values.dtype))

    def _whole(self, parts: list[_Part]) -> _Part:
        """One part of several, its samples ascending."""
        sample = np.concatenate([part.shared[0] for part in parts]) if len(parts) > 1 else parts[0].shared[0]
        if len(parts) == 1 and (sample[1:] > sample[:-1]).all():
            return parts[0]
        order = np.argsort(sample, kind="stable")
        names = ("score", "weight", *SHARED)
        return self._keep(
            {name: np.concatenate([self._read(name, part) for part in parts])[order] for name in names}
        )
