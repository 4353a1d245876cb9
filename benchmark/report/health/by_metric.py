"""Agreement of metrics where there are more columns than a figure has room for: settings are taken together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from ...toolkit.wording import counted

MOST = 80
"""Columns that are shown one by one."""

_PAIR = ["dataset", "column_a", "column_b"]


def readable(
    correlations: pd.DataFrame, health: pd.DataFrame, dataset: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a data set as figures show them: column by column, or by metric where the columns are too many."""
    correlations, health = (table[table["dataset"] == dataset] for table in (correlations, health))
    return by_metric(correlations, health) if health["column"].nunique() > MOST else (correlations, health)


def by_metric(correlations: pd.DataFrame, health: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with one name for all columns that differ in settings and perturbations alone.

    A correlation is the mean of all that are known between the columns of two such names, the lowest and the highest
    are those of all of them; the name says how many columns it stands for.

    Args:
        correlations: rows of one data set.
        health: rows of the same data set.
    """
    of = health.drop_duplicates("column").set_index("column")["metric"].astype(str)
    sizes = Counter(of)
    names = of.map({metric: f"{metric} ({counted(size, 'column')})" for metric, size in sizes.items()})
    a, b = (correlations[name].map(names) for name in _PAIR[1:])
    known = correlations.assign(column_a=np.where(a < b, a, b), column_b=np.where(a < b, b, a))
    found = known[a != b].groupby(_PAIR).agg({"correlation": "mean", "lowest": "min", "highest": "max"})
    return found.reset_index(), health.assign(column=health["column"].map(names))
