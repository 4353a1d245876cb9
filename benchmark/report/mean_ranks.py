"""Mean ranks of the methods over the columns of one family of metrics, and which methods these columns tell apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .blocks import COLUMN, Blocks
from .drawing.rank_diagram import MeanRanks
from .few_models import few_models
from .health.controls import passes_controls
from .standing import Standing

FIRST = "faithfulness"
"""Of families with equally many columns this one is drawn, or else the first by name."""


def mean_ranks(blocks: Blocks, standings: Sequence[Standing], trusted: pd.DataFrame) -> list[MeanRanks]:
    """Of a few models that have such columns, over those of the family of metrics that has the most.

    Args:
        blocks: the scores.
        standings: of all columns.
        trusted: of :func:`trusted_columns`, of one data set.
    """
    keys = ["dataset", "model", "perturbation", "metric", "settings"]  # as those of standings
    if trusted.empty:
        return []
    counts = trusted["metric_family"].value_counts(sort=False).sort_index()
    family = FIRST if counts.get(FIRST) == counts.max() else str(counts.idxmax())
    own = trusted[trusted["metric_family"] == family]
    names = dict(zip(own[keys].astype(str).itertuples(index=False, name=None), own["column"], strict=True))
    found = []
    for model in few_models(own):
        columns = [one for one in standings if one.key in names and one.key[1] == model and one.ranks]
        order = _order(blocks, columns)
        if order:
            found.append(MeanRanks(model, family, [str(names[one.key]) for one in columns], *order))
    return found


def _order(blocks: Blocks, columns: Sequence[Standing]) -> tuple[list[str], np.ndarray, np.ndarray] | None:
    """The methods that all columns rank, their mean ranks, and whether they are told apart; None for fewer than two."""
    ranked = [
        {
            str(blocks.words["method"][place]): at
            for at, place in enumerate(one.places)
            if one.ranks.compared[at]
        }
        for one in columns
        if one.ranks
    ]
    methods = sorted(set.intersection(*map(set, ranked))) if ranked else []
    if len(methods) < 2:
        return None
    rank, wins = np.zeros(len(methods)), np.zeros((len(methods),) * 2)
    for one, places in zip(columns, ranked, strict=True):
        at = np.array([places[name] for name in methods])
        if one.ranks:
            rank += one.ranks.rank[at]
            wins += one.ranks.better[np.ix_(at, at)]
    apart = 2 * np.maximum(wins, wins.T) > len(columns)
    order = np.argsort(rank, kind="stable")
    return [methods[at] for at in order], rank[order] / len(columns), apart[np.ix_(order, order)]


def trusted_columns(health: pd.DataFrame, plain: Sequence[str]) -> pd.DataFrame:
    """The columns of plain scores that pass their controls, or were not put to the test for want of a random one.

    Args:
        health: what each column says of itself.
        plain: names of plain scores.
    """
    trusted = passes_controls(health) | health["beat_random"].isna()
    own = health[health["metric"].isin(list(plain)) & trusted]
    return own[["dataset", "model", "family", *COLUMN, "metric_family", "column"]]
