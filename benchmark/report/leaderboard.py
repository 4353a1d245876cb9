"""The leaderboard: means of the scores, with intervals, and ranks of the methods of one model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..store.glossary import Glossary
from ..toolkit.labels import Label
from .attribution_robustness.convergence import NOT_CONVERGED, converged
from .bootstrap import interval, rank_intervals, resampled_counts, weighted_means
from .column_names import short_names
from .matrices import COLUMN, LEADERBOARD, Matrix, matrices

_CELL = ["dataset", "model", "method", "cell", "settings", "perturbation"]
"""What names the cell of a row: as the row's own names, but all columns of a metric are of one cell."""


def leaderboard(cells: pd.DataFrame, scores: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """One row for each (data set, model, method, metric, settings, perturbation).

    Ranks compare the methods of one model. A cell that failed or does not apply keeps its row, with empty
    numbers. The note says how many samples were left out, and whether an attack has not converged.
    """
    parts = [_ranked(matrix, glossary.perturbations) for _, matrix in matrices(scores, ["dataset", "model"])]
    finished = pd.concat(parts) if parts else pd.DataFrame(columns=[*LEADERBOARD, "samples", "converged"])
    finished = finished.assign(cell=[glossary.columns[text].metric for text in finished["metric"]])
    known = cells.rename(columns={"metric": "cell"})[[*_CELL, "seconds", "status", "note"]]
    table = finished.drop(columns=["seconds", "status", "note"], errors="ignore").merge(
        known, on=_CELL, how="left"
    )
    table["note"] = _notes(table)
    empty = cells[cells["status"] != "ok"].drop(columns="n").reindex(columns=LEADERBOARD)
    empty["higher_is_better"] = ""
    table = pd.concat([table, empty])[LEADERBOARD]
    for name in ("n", "rank", "rank_low", "rank_high"):
        table[name] = table[name].astype("Int64")
    order = ["dataset", "model", *COLUMN, "rank", "method"]
    return table.sort_values(order, kind="stable", na_position="last").reset_index(drop=True)


def _notes(table: pd.DataFrame) -> pd.Series:
    """How many samples were left out of a mean, and why; and whether an attack has not converged."""
    samples, left = table["samples"], table["samples"] - table["n"]
    why = np.where(
        table["perturbation"] != "", "the prediction changed under the perturbation", "their weight is zero"
    )
    left_out = left.astype(str) + " of " + samples.astype(str) + " samples left out: " + why
    note = table["note"].where(left == 0, left_out)
    weak = note.where(note == "", note + "; ") + NOT_CONVERGED
    return note.where(table["converged"] != NOT_CONVERGED, weak)


def _ranked(matrix: Matrix, perturbations: Mapping[str, Label]) -> pd.DataFrame:
    """Means, intervals and ranks of the rows of one model."""
    n = len(matrix.score)
    mean = weighted_means(np.ones((1, n)), matrix.score, matrix.weight)[0]
    resampled = weighted_means(resampled_counts(n), matrix.score, matrix.weight)
    low, high = interval(resampled)
    used = (matrix.weight != 0).sum(0)
    steady = converged(matrix.rows, matrix.score, matrix.weight, perturbations)
    table = matrix.rows.assign(mean=mean, ci_low=low, ci_high=high, n=used, samples=n, converged=steady)
    for name in ("rank", "rank_low", "rank_high"):
        table[name] = pd.array([pd.NA] * len(table), dtype="Int64")
    for _, group in table.groupby(COLUMN, observed=True):
        direction = group["higher_is_better"].iloc[0]
        where = group.index[group["mean"].notna() & (group["method"] != "")].to_numpy()
        if direction in ("True", "False") and len(where):
            sign = 1 if direction == "True" else -1
            ranks = rank_intervals(sign * mean[where], sign * resampled[:, where], used[where])
            for name, values in zip(("rank", "rank_low", "rank_high"), ranks, strict=True):
                table.loc[where, name] = values
    return table


def wide(table: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """The leaderboard's means: one row for each model and method, one column of means for each metric column."""
    judged = table[table["method"] != ""]
    names = short_names(judged, glossary)
    mean = judged.assign(column=names).pivot_table(
        index=["dataset", "model", "family", "method"],
        columns="column",
        values="mean",
        sort=False,
        dropna=False,
        observed=True,
    )
    present = judged.groupby(["dataset", "model", "family", "method"], observed=True).size().index
    return mean.reindex(index=present, columns=sorted(set(names))).reset_index()
