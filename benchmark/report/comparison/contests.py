"""The rows that compete in each column: methods on one model, or models under one method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ...statistics.differences import Differences
from ...statistics.ranks import Column, Ranks
from ...statistics.signs import with_sums
from ...store.glossary import Glossary
from ..blocks import DIRECTIONS, Blocks
from ..sides import prepare_models
from ..standing import column_of, decide


class Contest(NamedTuple):
    """The rows of one column on the samples that all of them have.

    Args:
        names: of the column: data set, model or method, metric, settings and perturbation, and facts of its scores.
        rivals: the methods or models, in the order of the rows.
        sign: -1 where lower scores are better, so that means have the other sign than scores.
        column: their means.
        found: the differences between those that can be compared.
        ranks: of all rows; they are those of the leaderboard, where methods compete.
    """

    names: Mapping[str, str]
    rivals: list[str]
    sign: int
    column: Column
    found: Differences
    ranks: Ranks

    def place(self, name: str) -> int | None:
        """Where a row stands among those that can be compared; None if it cannot be."""
        if name not in self.rivals or not self.column.rows[self.rivals.index(name)]:
            return None
        return int(self.column.rows[: self.rivals.index(name)].sum())


def contests(blocks: Blocks, glossary: Glossary, kind: str, where: np.ndarray) -> Iterator[Contest]:
    """All columns with a direction in which methods, or models, compete.

    Models compete in columns that may be compared across models: under each method on the samples that all models
    classify correctly, and in metrics of the models themselves on all samples.

    Args:
        blocks: the scores.
        glossary: what the names stand for.
        kind: what competes: ``method`` or ``model``.
        where: blocks that count, bool.
    """
    rows = blocks.rows
    other = "model" if kind == "method" else "method"
    counted = where & rows["higher_is_better"].isin(DIRECTIONS).to_numpy()
    counted &= (rows["method"] != "").to_numpy() if kind == "method" else rows["across_models"].to_numpy(bool)
    prepared = _prepared(blocks, glossary, kind, other, counted)
    for (names, rivals, column), sums in with_sums((one, one[2].means.influence) for one in prepared):
        ranks, found = decide(column, sums)
        sign = 1 if names["higher_is_better"] == "True" else -1
        yield Contest(names, rivals, sign, column, found, ranks)


def _prepared(
    blocks: Blocks, glossary: Glossary, kind: str, other: str, counted: np.ndarray
) -> Iterator[tuple[Mapping[str, str], list[str], Column]]:
    """Names, rivals and means of each column."""
    for _, places in blocks.groups(["dataset", other, "perturbation", "metric", "settings"], counted):
        names = blocks.facts(places[0])
        column = (
            prepare_models(blocks, places, glossary)
            if kind == "model"
            else column_of(blocks.matrix(places), names, glossary)
        )
        yield names, list(blocks.words[kind][places]), column
