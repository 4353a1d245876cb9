"""The sides on which models are compared: each model alone, whole families, recipes by their seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..statistics.differences import Differences, differences
from ..statistics.means import Means
from ..statistics.ranks import Column
from ..store.glossary import Glossary
from ..toolkit.labels import read_trained
from .blocks import Blocks
from .standing import column_of

IMAGES, SEEDS = "images", "seeds and images"
"""What is drawn anew: images, for these trained networks; or networks of the same recipe too."""

NO_SAMPLE = "no sample counts for all that are compared"
"""Why models cannot be compared: none is classified correctly by all, or those that are have no score in common."""


class Side(NamedTuple):
    """One side of a comparison.

    Args:
        family: of its models.
        models: whose plain mean it is.
    """

    family: str
    models: tuple[str, ...]


def single_sides(models: pd.DataFrame) -> list[Side]:
    """Each model alone, of a table with the columns ``model`` and ``family``."""
    return [Side(family, (model,)) for model, family in models[["model", "family"]].itertuples(index=False)]


def family_sides(models: pd.DataFrame) -> list[Side]:
    """Each family as a whole."""
    groups = models.groupby("family", observed=True)["model"]
    return [Side(str(family), tuple(names)) for family, names in groups]


def recipe_sides(models: pd.DataFrame) -> list[Side]:
    """Each recipe of which several networks were trained, with all of these."""
    networks: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, family in models[["model", "family"]].itertuples(index=False):
        networks[family, read_trained(name).recipe].append(name)
    return [Side(family, tuple(names)) for (family, _), names in networks.items() if len(names) > 1]


def opponents(sides: list[Side]) -> Iterator[tuple[int, int]]:
    """The places of every two sides of different families.

    Among whole families, two that have one model each are left out: they meet as models already.
    """
    several = max((len(side.models) for side in sides), default=0) > 1
    for a, b in combinations(range(len(sides)), 2):
        alone = several and len(sides[a].models) == len(sides[b].models) == 1
        if sides[a].family != sides[b].family and not alone:
            yield a, b


def prepare_models(blocks: Blocks, places: np.ndarray, glossary: Glossary) -> Column:
    """The models of some blocks of one column, on the samples that count for all of them.

    Metrics of the models themselves are about all samples, those of explanations about :meth:`.Blocks.common` ones.
    """
    first = blocks.facts(places[0])
    matrix = blocks.matrix(places, blocks.common(places) if first["method"] else None)
    return column_of(matrix, first, glossary)


class Compared(NamedTuple):
    """Some sides on samples that all their models have.

    Args:
        column: the models' means.
        sign: -1 where lower scores are better, so that means and differences have the other sign than scores.
        share: of each model in each side, ``(S, M)``.
        sides: those that could be compared, places among the given ones.
    """

    column: Column
    sign: int
    share: np.ndarray
    sides: list[int]

    @property
    def mean(self) -> np.ndarray:
        """Of each side, the greater the better, ``(S,)``."""
        return self.share @ self.column.means.mean

    def differences(self, sums: np.ndarray) -> Differences:
        """All differences between sides, from sums of the models' influence under each draw, ``(M, B)``."""
        found, sums = self.column.means, self.share @ sums
        used = np.full(len(self.share), len(found.influence))
        of_sides = Means(
            self.mean,
            found.influence @ self.share.T,
            used,
            found.weight @ self.share.T,
            self.share @ found.noise,
        )
        return differences(of_sides, _widest(self.column.needed, self.share > 0), sums)


def compare_sides(column: Column, models: list[str], sides: list[Side], direction: str) -> Compared:
    """Sides as plain means over their models.

    A side is left out if one of its models has no score here, or lacks too many samples.

    Args:
        column: the models, on common samples.
        models: their names.
        sides: what is compared.
        direction: ``higher_is_better`` of the column, as tables have it.
    """
    names = [model for model, there in zip(models, column.rows, strict=True) if there]
    there = [place for place, side in enumerate(sides) if set(side.models) <= set(names)]
    members = np.array([[name in sides[place].models for name in names] for place in there], dtype=float)
    members = members.reshape(len(there), len(names))
    sign = -1 if direction == "False" else 1
    return Compared(column, sign, members / members.sum(1, keepdims=True), there)


def _widest(needed: np.ndarray, members: np.ndarray) -> np.ndarray:
    """What a claim on two sides needs: the most that one on two of their models would, ``(S, S)``."""
    if not needed.any():
        return np.zeros((len(members),) * 2)
    return np.array(
        [[needed[np.ix_(one, other)].max(initial=0.0) for other in members] for one in members]
    ).reshape((len(members),) * 2)
