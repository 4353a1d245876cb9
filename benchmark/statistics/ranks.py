"""Ranks of methods on the same samples, with intervals that hold together, and the set of the best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..toolkit.score_ranges import UNBOUNDED, ScoreRange
from .complete import complete
from .means import Means, means
from .rare import guarded, reach
from .skewness import expected_error
from .verdicts import Verdicts, verdicts

OF_RANGE = 1e-6
"""Differences of scores that are rounding, as a share of the range that the metric declares."""


class Ranks(NamedTuple):
    """The order of ``M`` rows of a column, the best first, and what of it is beyond doubt.

    Args:
        n: samples that all compared rows have; on these everything below is.
        compared: rows that have a rank, bool ``(M,)``; the others lack too many samples.
        rank: 1 is best, equal means share the best of their ranks, int ``(M,)``; 0 without a rank.
        low: the best rank that a row may have, int ``(M,)``.
        high: the worst.
        better: whether row ``j`` is beyond doubt better than row ``k``, bool ``(M, M)``.
        rare: rows that differ from their most frequent score on too few samples, see :mod:`.rare`, bool ``(M,)``.
        error: about how probable a false claim about rows that are not rare is, see :func:`.skewness.expected_error`.
    """

    n: int
    compared: np.ndarray
    rank: np.ndarray
    low: np.ndarray
    high: np.ndarray
    better: np.ndarray
    rare: np.ndarray
    error: float

    @property
    def best(self) -> np.ndarray:
        """Rows than which none is beyond doubt better, bool ``(M,)``: with 95 % all that share the best true mean."""
        return self.compared & (self.low == 1)


class Column(NamedTuple):
    """``M`` rows on the same samples, ready to be compared.

    Args:
        rows: those that can be compared, bool ``(M,)``.
        means: of these, over the samples that all of them have, the greater the better.
        needed: how far a difference of these means must reach for a claim, beside the test.
        rare: which of these differ from their most frequent score on too few samples.
    """

    rows: np.ndarray
    means: Means
    needed: np.ndarray
    rare: np.ndarray


def prepare(
    score: np.ndarray,
    weight: np.ndarray,
    *,
    higher_is_better: bool,
    bounds: ScoreRange = UNBOUNDED,
) -> Column:
    """Readies rows for a comparison.

    Args:
        score: of ``M`` rows on the same samples, ``(n, M)``; NaN where there is none.
        weight: ``(n, M)``; 0 where there is no score.
        higher_is_better: direction.
        bounds: the least and greatest score that is possible; an infinite one is not known.
    """
    samples, rows = complete(score, weight)
    kept = np.ix_(samples, rows)
    found = means(score[kept] if higher_is_better else -score[kept], weight[kept])
    width = bounds[1] - bounds[0]
    if np.isfinite(width):
        found = found._replace(noise=np.maximum(found.noise, OF_RANGE * width))
    rare = guarded(score[kept], found.noise)
    return Column(rows, found, reach(rare, weight[kept], bounds), rare)


def rank(column: Column, sums: np.ndarray) -> Ranks:
    """Ranks rows by their weighted means, with intervals that hold for all rows together at 95 %.

    Row ``j`` comes before row ``k`` beyond doubt if the step-down test of all ordered pairs says so. The lowest rank of
    a row comes after the rows that are beyond doubt better, the highest before those that are beyond doubt worse.
    Adding a copy of a row changes nothing among the others, and neither does the order of the rows.

    Args:
        column: the rows.
        sums: of the influence of their means under each draw of signs, ``(M, B)``.
    """
    return rank_by(column, verdicts(column.means, column.needed, sums))


def rank_by(column: Column, told: Verdicts) -> Ranks:
    """As :func:`rank`, from verdicts that there are already."""
    found, rows = column.means, column.rows
    ahead = (found.mean[None, :] > found.mean[:, None]) & told.differ
    better = np.zeros((len(rows),) * 2, dtype=bool)
    better[np.ix_(rows, rows)] = told.better

    def placed(values: np.ndarray) -> np.ndarray:
        among_all = np.zeros(len(rows), dtype=values.dtype)
        among_all[rows] = values
        return among_all

    return Ranks(
        n=len(found.influence),
        compared=rows,
        rank=placed(1 + ahead.sum(1)),
        low=placed(1 + told.better.sum(0)),
        high=placed(rows.sum() - told.better.sum(1)),
        better=better,
        rare=placed(column.rare),
        error=expected_error(found.influence, told.differ & (column.needed == 0), told.critical),
    )
