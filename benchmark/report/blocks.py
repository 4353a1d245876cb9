"""The scores of a run, block by block: a block is one row of the leaderboard, its samples in order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..store.columns import LABEL

COLUMN = ["metric", "settings", "perturbation"]
"""What names a metric column, together with the settings and the perturbation that it ran with."""

FACTS = ["family", "metric_family", "higher_is_better", "across_models"]
"""What is known of a block besides its names."""

DIRECTIONS = ("True", "False")
"""Words of ``higher_is_better`` where there is a direction."""


class Matrix(NamedTuple):
    """Scores of some blocks on the same samples.

    Args:
        score: ``(N, M)``; NaN where a block lacks a sample that others have.
        weight: ``(N, M)``; 0 there.
    """

    score: np.ndarray
    weight: np.ndarray


class Blocks:
    """The scores of a run, sorted once, for all tables that are made from them.

    Args:
        scores: one row for each sample of each row of the leaderboard, in any order.

    Attributes:
        rows: names and facts of each block, as text (``across_models`` as bool), sorted by names.
        words: the columns of ``rows`` as arrays, for what looks at one block at a time.
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        order, starts = _order(scores)
        ends = np.append(starts[1:], len(scores))
        first = scores.iloc[starts if order is None else order[starts]]
        rows = first[LABEL + FACTS].astype({name: str for name in LABEL + FACTS if name != "across_models"})
        rows = rows.assign(start=starts, end=ends).sort_values(LABEL, kind="stable").reset_index(drop=True)
        self._start, self._end = rows.pop("start").to_numpy(), rows.pop("end").to_numpy()
        self.rows = rows
        self.words = {name: rows[name].to_numpy(dtype=object) for name in LABEL + FACTS}
        names = ("sample", "score", "weight", "correct")
        values = {name: scores[name].to_numpy() for name in names}
        self._values = values if order is None else {name: values[name][order] for name in names}

    def matrix(self, at: np.ndarray) -> Matrix:
        """The blocks of those places in ``rows``, on all samples that one of them has, in order of their numbers."""
        samples = [self.of("sample", place) for place in at]
        score, weight = (
            np.stack([self.of(name, place) for place in at]) if _same(samples) else self._aligned(name, at, samples)
            for name in ("score", "weight")
        )  # fmt: skip
        # one row of memory for each block, so that equal blocks have means that are equal to the last bit
        return Matrix(score.astype(float).T, weight.astype(float).T)

    def facts(self, place: int) -> dict[str, str]:
        """Names and facts of one block."""
        return {name: str(values[place]) for name, values in self.words.items()}

    def of(self, name: str, place: int) -> np.ndarray:
        """``sample``, ``score``, ``weight`` or ``correct`` of one block, ``(n,)``."""
        return self._values[name][self._start[place] : self._end[place]]

    def _aligned(self, name: str, at: np.ndarray, samples: list[np.ndarray]) -> np.ndarray:
        everyone = reduce(np.union1d, samples)
        values = np.full((len(at), len(everyone)), np.nan if name == "score" else 0.0)
        for row, place in enumerate(at):
            values[row, np.searchsorted(everyone, samples[row])] = self.of(name, place)
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

    def correct(self, dataset: str, *, models: list[str] | None = None) -> pd.Series:
        """Whether all models classify a sample of a data set correctly, by its number, ascending.

        Args:
            dataset: its name.
            models: those that count; None for all that have scores of methods.
        """
        rows = self.rows[(self.rows["dataset"] == dataset) & (self.rows["method"] != "")]
        if models is not None:
            rows = rows[rows["model"].isin(models)]
        by_sample = [
            pd.Series(self.of("correct", place).astype(bool), index=self.of("sample", place))
            for place in rows.drop_duplicates("model").index
        ]
        return reduce(lambda one, other: one & other.reindex(one.index, fill_value=True), by_sample)


def _same(samples: list[np.ndarray]) -> bool:
    return all(np.array_equal(samples[0], other) for other in samples[1:])


def _order(scores: pd.DataFrame) -> tuple[np.ndarray | None, np.ndarray]:
    """The order that puts the rows of each block together, by sample; and where each block starts in it.

    Scores as the store writes them are in such an order already; then the order is None, and nothing is moved.
    """
    code = np.zeros(len(scores), dtype=np.int64)
    for name in LABEL:
        codes, words = pd.factorize(scores[name])
        code = pd.factorize(code * len(words) + codes)[0] if len(words) > 1 else code
    sample = scores["sample"].to_numpy()
    starts = np.flatnonzero(np.diff(code, prepend=-1))
    descends = np.flatnonzero(np.diff(sample) <= 0) + 1
    if len(starts) == code.max(initial=-1) + 1 and np.isin(descends, starts).all():
        return None, starts
    order = np.lexsort((sample, code))
    return order, np.flatnonzero(np.diff(code[order], prepend=-1))
