"""The scores of a run, block by block: a block is one row of the leaderboard, its samples in order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..store.columns import LABEL
from ..store.score_runs import runs_of_table
from ..store.unpacked import FACTS, Unpacked

COLUMN = ["metric", "settings", "perturbation"]
"""What names a metric column, together with the settings and the perturbation that it ran with."""

DIRECTIONS = ("True", "False")
"""Words of ``higher_is_better`` where there is a direction."""


class Matrix(NamedTuple):
    """Scores of some blocks on the same samples.

    Args:
        score: ``(N, M)``; NaN where a block lacks a sample that others have, or its score is not finite.
        weight: ``(N, M)``; 0 there.
    """

    score: np.ndarray
    weight: np.ndarray


class Blocks:
    """The scores of a run, unpacked once, for all tables that are made from them.

    Args:
        scores: one row for each sample of each row of the leaderboard, in any order; or what was unpacked of a file.

    Attributes:
        rows: names and facts of each block, as text (``across_models`` as bool), sorted by names.
        as_written: the places of the blocks, in the order in which they begin in the table.
        words: the columns of ``rows`` as arrays, for what looks at one block at a time.
    """

    def __init__(self, scores: pd.DataFrame | Unpacked) -> None:
        self._scores = scores if isinstance(scores, Unpacked) else Unpacked(runs_of_table(scores))
        rows = self._scores.rows.sort_values(LABEL, kind="stable")
        self._place = rows.index.to_numpy()
        self.as_written = np.argsort(self._place)
        self.rows = rows.reset_index(drop=True)
        self._correct: dict[str, pd.Series] = {}
        self.words = {name: self.rows[name].to_numpy(dtype=object) for name in LABEL + FACTS}

    def matrix(self, at: np.ndarray, counted: pd.Series | None = None) -> Matrix:
        """The blocks of those places in ``rows``, on all samples that one of them has, in order of their numbers.

        Args:
            at: the places.
            counted: which samples are taken, bool, by their number; None for all.
        """
        everyone = self.samples(at)
        score, weight = (self._aligned(name, at, everyone) for name in ("score", "weight"))
        if counted is not None:
            kept = counted.reindex(everyone, fill_value=False).to_numpy()
            score, weight = score[:, kept], weight[:, kept]
        missing = ~np.isfinite(score)
        score[missing], weight[missing] = np.nan, 0
        # one row of memory for each block, so that equal blocks have means that are equal to the last bit
        return Matrix(score.T, weight.T)

    def samples(self, at: np.ndarray) -> np.ndarray:
        """The numbers of all samples that one of the blocks has, ascending."""
        return _union([self.of("sample", place) for place in at])

    def table(self, where: np.ndarray) -> pd.DataFrame:
        """One row for each sample of some blocks: names and facts of the block, ``sample`` and ``score``."""
        places = np.flatnonzero(where)
        values = [(self.of("sample", place), self.of("score", place)) for place in places.tolist()]
        rows = self.rows.loc[places.repeat([len(sample) for sample, _ in values])].reset_index(drop=True)
        sample, score = map(np.concatenate, zip(*values, strict=True)) if values else ([], [])
        return rows.assign(sample=sample, score=score)

    def facts(self, place: int) -> dict[str, str]:
        """Names and facts of one block."""
        return {name: str(values[place]) for name, values in self.words.items()}

    def of(self, name: str, place: int) -> np.ndarray:
        """``sample``, ``score``, ``weight``, ``target``, ``label`` or ``correct`` of one block, ``(n,)``."""
        return self._scores.of(name, int(self._place[place]))

    def _aligned(self, name: str, at: np.ndarray, everyone: np.ndarray) -> np.ndarray:
        """Values of some blocks, a row each, on the samples of all of them; NaN where a block lacks one."""
        values = np.full((len(at), len(everyone)), np.nan)
        for row, place in enumerate(at):
            samples = self.of("sample", place)
            whole = len(samples) == len(everyone)
            where = slice(None) if whole else np.searchsorted(everyone, samples)
            values[row, where] = self.of(name, place)
        return values

    def groups(
        self, keys: list[str], where: pd.Series | np.ndarray | None = None
    ) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
        """The places of the blocks that share the values of ``keys``, group by group, sorted by these values.

        Args:
            keys: columns of ``rows``.
            where: which blocks count, bool; None for all.
        """
        rows = self.rows if where is None else self.rows[where]
        for key, group in rows.groupby(keys, sort=True):
            yield tuple(map(str, key)), group.index.to_numpy()

    def correct(self, dataset: str) -> pd.Series:
        """Whether all models with scores of methods on a sample classify it correctly, by its number, ascending."""
        if dataset not in self._correct:
            rows = self.rows[(self.rows["dataset"] == dataset) & (self.rows["method"] != "")]
            places = rows.drop_duplicates("model").index
            everyone = _union([self.of("sample", place) for place in places])
            right = np.ones(len(everyone), dtype=bool)
            for place in places:
                own = np.searchsorted(everyone, self.of("sample", place))
                right[own] &= self.of("correct", place).astype(bool)
            self._correct[dataset] = pd.Series(right, index=everyone)
        return self._correct[dataset]

    def common(self, places: np.ndarray) -> pd.Series:
        """Whether a sample counts when models are compared under one method, by its number, ascending.

        It does if all models of the data set classify it correctly, and the perturbation, if there is one, changes the
        prediction of none of the compared models.

        Args:
            places: of the models' blocks in one column.
        """
        right = self.correct(str(self.words["dataset"][places[0]]))
        counts = right.to_numpy(copy=True)
        for place in places if self.words["perturbation"][places[0]] else ():
            changed = self.of("sample", place)[self.of("weight", place) == 0]
            counts &= ~np.isin(right.index, changed)
        return pd.Series(counts, index=right.index)


def _union(samples: list[np.ndarray]) -> np.ndarray:
    """All of them, ascending; blocks with the same samples have the same array."""
    different = list({id(own): own for own in samples}.values())
    return (
        different[0] if len(different) == 1 else reduce(np.union1d, different, np.array([], dtype=np.int64))
    )
