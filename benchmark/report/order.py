"""The order of the methods: mean ranks over the metric columns that pass their controls, as on the page of a run."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from .blocks import COLUMN, DIRECTIONS
from .health.controls import passes_controls
from .results import Results

PLACE = ["model", *COLUMN]
"""What names a column of ranks: the methods of one model, by one metric under one setting and perturbation."""


def ranked(results: Results, dataset: str) -> pd.DataFrame:
    """The rows of the leaderboard by which methods are ordered: those of methods, in columns that have a direction.

    ``counts`` says whether the row's column passes its controls on that model, ``plain`` whether it is a plain score.
    """
    table = results.leaderboard
    table = table[(table["dataset"] == dataset) & (table["method"] != "")]
    undirected = (table["status"] == "ok") & ~table["higher_is_better"].isin(DIRECTIONS)
    table = table[~table["metric"].isin(table.loc[undirected, "metric"])]
    health = results.health[results.health["dataset"] == dataset]
    passing = pd.MultiIndex.from_frame(health.loc[passes_controls(health), PLACE].astype(str))
    return table.assign(
        counts=pd.MultiIndex.from_frame(table[PLACE].astype(str)).isin(passing),
        plain=[results.glossary.is_plain(text) for text in table["metric"]],
    )


def ranks_of(rows: pd.DataFrame) -> pd.DataFrame:
    """The rank of each method in each column: a row a method, a column for each family of metrics and ``PLACE``.

    Ranks are those among the methods that no column lacks and that are no controls; a control's is the one that it
    would have among them. The others have none. Columns that do not pass their controls are there if none passes.
    """
    some = rows[rows["counts"]] if rows["counts"].any() else rows
    value = some["mean"].where(some["higher_is_better"] != "False", -some["mean"])
    table = some.assign(value=value.astype(float)).pivot_table(
        index="method", columns=["metric_family", *PLACE], values="value", observed=True
    )
    controls = set(rows.loc[rows["control"].astype(bool), "method"])
    common = table[~table.index.isin(controls)].dropna()
    found = {
        name: (1 + (common > own).sum()).where(own.notna())
        for name, own in table.iterrows()
        if name in controls and len(common)
    }
    ranks = pd.concat([common.rank(ascending=False), pd.DataFrame(found, index=table.columns).T])
    return ranks.reindex(index=rows["method"].astype(str).unique(), columns=table.columns)


def shares(columns: pd.Index) -> np.ndarray:
    """How much each column of :func:`ranks_of` counts in a mean rank, ``(C,)``.

    Models count alike, and so do the families of metrics of a model, and the columns of such a family: neither many
    settings of one metric nor a large family outweighs others.
    """
    of = columns.to_frame(index=False).astype(str)
    families = of.groupby("model")["metric_family"].transform("nunique")
    alike = of.groupby(["model", "metric_family"])["model"].transform("size")
    return (1 / (of["model"].nunique() * families * alike)).to_numpy()


def mean_ranks(ranks: pd.DataFrame) -> pd.Series:
    """The mean rank of each method, by the :func:`shares` of the columns; NaN where a rank is missing."""
    if not len(ranks.columns):
        return pd.Series(float("nan"), ranks.index)
    mean = ranks.to_numpy(float) @ shares(ranks.columns)
    return pd.Series(mean, ranks.index).round(9)  # so that equal orders are equal, however their ranks add up


def in_order(mean: pd.Series, but: Collection[str] = ()) -> list[str]:
    """Methods, the best mean rank first, those without one last; by name where they are equal."""
    own = mean[~mean.index.isin(list(but))]
    return list(own.sort_index().sort_values(kind="stable", na_position="last").index)
