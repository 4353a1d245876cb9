"""Where each row of the leaderboard stands: its mean, and its rank among the methods of one model.

This is computed once for a run; leaderboard, health and the page take it from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ..statistics.differences import Differences, differences
from ..statistics.means import interval, means
from ..statistics.ranks import Column, Ranks, prepare, rank_by
from ..statistics.signs import with_sums
from ..statistics.verdicts import Verdicts, verdicts
from ..store.glossary import Glossary
from .blocks import DIRECTIONS, Blocks, Matrix


class Standing(NamedTuple):
    """The rows of one model in one column.

    Args:
        key: data set, model, perturbation, metric and settings.
        places: of the rows, in :class:`Blocks`.
        mean: of each row, ``(M,)``.
        low: lower bounds of the means, ``(M,)``.
        high: upper ones.
        used: samples behind each mean, ``(M,)``.
        scored: samples that have a score, ``(M,)``; some of them may have no weight.
        samples: of the run.
        ranks: of the rows; None in a column that has no direction, or is about models alone.
        told: which of the rows that have a rank are told apart; None where there are no ranks.
    """

    key: tuple[str, ...]
    places: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    used: np.ndarray
    scored: np.ndarray
    samples: int
    ranks: Ranks | None
    told: Verdicts | None


def standings(blocks: Blocks, glossary: Glossary) -> list[Standing]:
    """All rows of a run, column by column."""
    columns = (((one, column), _influence(column)) for one, column in _standings(blocks, glossary))
    found = []
    for (one, column), sums in with_sums(columns):
        if column is None:
            found.append(one)
        else:
            told = verdicts(column.means, column.needed, sums)
            found.append(one._replace(ranks=rank_by(column, told), told=told))
    return found


def _influence(column: Column | None) -> np.ndarray:
    return np.zeros((0, 0)) if column is None else column.means.influence


def differences_of(
    blocks: Blocks, found: Iterable[Standing], glossary: Glossary
) -> Iterator[tuple[Standing, Differences]]:
    """The differences between the ranked rows of each column that has ranks, which are not kept: they are large."""
    columns = (
        (one, column_of(blocks.matrix(one.places), blocks.facts(one.places[0]), glossary))
        for one in found
        if one.ranks
    )
    ranked = (((one, column), column.means.influence) for one, column in columns)
    for (one, column), sums in with_sums(ranked):
        yield one, differences(column.means, column.needed, sums, one.told)


def decide(column: Column, sums: np.ndarray) -> tuple[Ranks, Differences]:
    """The ranks of a column's rows and the differences between them, of the same verdicts.

    Args:
        column: the rows.
        sums: of the influence of their means under each draw of signs, ``(M, B)``.
    """
    told = verdicts(column.means, column.needed, sums)
    return rank_by(column, told), differences(column.means, column.needed, sums, told)


def _standings(blocks: Blocks, glossary: Glossary) -> Iterator[tuple[Standing, Column | None]]:
    """The rows of each column without their ranks, and what these are made from."""
    for key, places in blocks.groups(["dataset", "model", "perturbation", "metric", "settings"]):
        matrix = blocks.matrix(places)
        yield _standing(key, places, matrix, blocks.facts(places[0]), glossary)


def _standing(
    key: tuple[str, ...], places: np.ndarray, matrix: Matrix, first: Mapping[str, str], glossary: Glossary
) -> tuple[Standing, Column | None]:
    found = means(matrix.score, matrix.weight)
    low, high = interval(found.mean, found.influence, found.used)
    scored = (~np.isnan(matrix.score)).sum(0)
    one = Standing(key, places, found.mean, low, high, found.used, scored, len(matrix.score), None, None)
    if first["higher_is_better"] not in DIRECTIONS or not first["method"]:
        return one, None
    return one, column_of(matrix, first, glossary)


def column_of(matrix: Matrix, first: Mapping[str, str], glossary: Glossary) -> Column:
    """Rows of one column, ready to be compared.

    Args:
        matrix: their scores.
        first: facts of one of them; a column without a direction counts as if higher were better.
        glossary: what the names stand for.
    """
    return prepare(
        *matrix,
        higher_is_better=first["higher_is_better"] != "False",
        bounds=glossary.ranges[first["metric"]],
    )
