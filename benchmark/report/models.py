"""The models of a run: accuracy, certificates and bounds, a row each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..store.glossary import Glossary
from .bootstrap import interval, resampled_counts, weighted_means
from .column_names import short_names
from .matrices import matrices


def describe_models(cells: pd.DataFrame, scores: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """One row a model: the means of the metrics of models, with intervals.

    Plain scores without a direction, as a gradient's norm, have their largest value too. Named columns have none: in
    some of them a sample's value is its contribution to the mean (of a percentile), and the largest says nothing.
    """
    own = _without_repeats(scores[scores["method"] == ""])
    names = short_names(own, glossary)
    rows = {}
    for key, matrix in matrices(own, ["dataset", "model"]):
        n = len(matrix.score)
        mean = weighted_means(np.ones((1, n)), matrix.score, matrix.weight)[0]
        low, high = interval(weighted_means(resampled_counts(n), matrix.score, matrix.weight))
        row: dict[str, float] = {"n": n}
        for position, name in enumerate(names.reindex(matrix.rows["first"])):
            row |= {name: mean[position], f"{name}:ci_low": low[position], f"{name}:ci_high": high[position]}
            column = matrix.rows.iloc[position]
            if not column["higher_is_better"] and glossary.is_plain(column["metric"]):
                row[f"{name}:max"] = matrix.score[:, position].max()
        rows[key] = row
    known = cells[["dataset", "model", "family", "weights"]].drop_duplicates()
    table = known.sort_values(["dataset", "family", "model"]).set_index(["dataset", "model"])
    if rows:
        numbers = pd.DataFrame(
            list(rows.values()), index=pd.MultiIndex.from_tuples(rows, names=["dataset", "model"])
        )
        parts = [
            f"{name}{part}" for name in sorted(set(names)) for part in ("", ":ci_low", ":ci_high", ":max")
        ]
        table = table.join(numbers[["n", *(name for name in parts if name in numbers)]]).astype(
            {"n": "Int64"}
        )
    reasons = cells[(cells["method"] == "") & (cells["status"] != "ok")]
    reasons = reasons.drop_duplicates(["dataset", "model", "metric", "note"])
    notes = (
        (reasons["metric"] + ": " + reasons["note"])
        .groupby([reasons["dataset"], reasons["model"]])
        .agg("; ".join)
    )
    table["note"] = notes.reindex(table.index).fillna("")
    return table.reset_index()


def _without_repeats(own: pd.DataFrame) -> pd.DataFrame:
    """The scores, but one copy only of a column that is the same under all settings of its metric.

    A certified radius is the same whatever radius the accuracy beside it was asked for.
    """
    kept = []
    for _, column in own.groupby("metric", observed=True, sort=False):
        under = column.pivot_table(
            index=["dataset", "model", "sample"],
            columns=["settings", "perturbation"],
            values="score",
            observed=True,
        )
        same = under.eq(under.iloc[:, 0], axis=0).all(axis=None)
        first = column["settings"] == under.columns[0][0]
        kept.append(column[first] if same else column)
    return pd.concat(kept).sort_index() if kept else own
