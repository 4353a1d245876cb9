"""The order of the methods: mean ranks over metric columns, in which each family of metrics has the same weight."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ..toolkit.roles import RANDOM
from .blocks import COLUMN, DIRECTIONS
from .results import Results

PLACE = ["model", *COLUMN]
"""What names a column of ranks: the methods of one model, by one metric under one setting and perturbation."""


def ranked(results: Results, dataset: str) -> pd.DataFrame:
    """The rows of the leaderboard by which methods are ordered: plain scores that have a direction.

    A column in whose set of the best a random map is tells nothing of methods: ``counts`` is false there.
    """
    table = results.leaderboard
    is_plain = table["metric"].map(
        {text: results.glossary.is_plain(text) for text in table["metric"].unique()}
    )
    table = table[(table["dataset"] == dataset) & (table["method"] != "") & is_plain.astype(bool)]
    undirected = (table["status"] == "ok") & ~table["higher_is_better"].isin(DIRECTIONS)
    table = table[~table["metric"].isin(table.loc[undirected, "metric"])]
    random = table["method"].isin(results.glossary.methods_with(RANDOM))
    failing = table[random & table["best"].eq(other=True).fillna(value=False)]
    keys = pd.MultiIndex.from_frame(table[PLACE].astype(str))
    return table.assign(counts=~keys.isin(pd.MultiIndex.from_frame(failing[PLACE].astype(str))))


def mean_ranks(rows: pd.DataFrame) -> pd.Series:
    """The mean rank of each method over the columns that count, or over all where none does; NaN where it lacks one."""
    some = rows[rows["counts"]] if rows["counts"].any() else rows
    ranks = some.assign(rank=some["rank"].astype(float)).pivot_table(
        index="method", columns=PLACE, values="rank", dropna=False, observed=True
    )
    # a method without any rank has no row, and a column without any no place: both lack something
    ranks = ranks.reindex(index=rows["method"].astype(str).unique())
    return ranks.dropna(axis="columns", how="all").mean(axis=1, skipna=False)


def overall(rows: pd.DataFrame) -> pd.Series:
    """The mean of a method's mean ranks in the families of metrics; families without a column that counts are left out.

    All of them take part where none has one.
    """
    if rows.empty:
        return pd.Series(dtype=float)
    some = rows[rows["counts"]] if rows["counts"].any() else rows
    families = [mean_ranks(group) for _, group in some.groupby("metric_family", observed=True)]
    return pd.concat(families, axis=1).mean(axis=1, skipna=False).reindex(rows["method"].astype(str).unique())


def in_order(ranks: pd.Series) -> Sequence[str]:
    """The methods, the best mean rank first, those without one last; by name where they are equal."""
    return list(ranks.sort_index().sort_values(kind="stable", na_position="last").index)
