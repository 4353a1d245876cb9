"""Agreement of metrics where there are more columns than a figure has room for: settings are taken together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from ...toolkit.wording import counted

MOST = 80
"""Columns that are shown one by one, in the figure as on the page."""

_PAIR = ["dataset", "column_a", "column_b"]


def by_metric(correlations: pd.DataFrame, health: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with one name for all columns that differ in settings and perturbations alone.

    A correlation is the mean of all that are known between the columns of two such names; the name says how many
    columns it stands for.

    Args:
        correlations: rows of one data set.
        health: rows of the same data set.
    """
    of = health.drop_duplicates("column").set_index("column")["metric"].astype(str)
    sizes = Counter(of)
    names = of.map({metric: f"{metric} ({counted(size, 'column')})" for metric, size in sizes.items()})
    a, b = (correlations[name].map(names) for name in _PAIR[1:])
    known = correlations.assign(column_a=np.where(a < b, a, b), column_b=np.where(a < b, b, a))
    mean = known[a != b].groupby(_PAIR)["correlation"].mean()
    return mean.reset_index(), health.assign(column=health["column"].map(names))
