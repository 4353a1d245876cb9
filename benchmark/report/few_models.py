"""Which models a figure shows that has no room for all: different families before more of the same."""

from __future__ import annotations

import pandas as pd

MOST = 3
"""Models in a figure; all are in the tables."""


def few_models(rows: pd.DataFrame, most: int = MOST) -> list[str]:
    """The first model of each family, then further ones, until there are ``most``; in the order of the rows.

    Args:
        rows: a table with the columns ``model`` and ``family``.
        most: how many.
    """
    models = rows[["model", "family"]].drop_duplicates("model")
    further = models.duplicated("family")
    chosen = set(models["model"].loc[further.sort_values(kind="stable").index[:most]])
    return [name for name in models["model"] if name in chosen]
