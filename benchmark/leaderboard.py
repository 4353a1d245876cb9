"""Leaderboards: pure functions of the tables of cells and scores, with paired intervals and rank intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .convergence import NOT_CONVERGED, converged
from .statistics import interval, rank_intervals, resampled_counts, weighted_means
from .tables import LABEL

LEADERBOARD = [
    "dataset", "model", "family", "method", "metric", "settings", "perturbation", "metric_family",
    "higher_is_better", "mean", "ci_low", "ci_high", "n", "rank", "rank_low", "rank_high", "seconds", "status",
    "note",
]  # fmt: skip

FAMILIES = [
    "dataset", "method", "metric", "settings", "perturbation", "higher_is_better", "family_a", "family_b",
    "models_a", "models_b", "mean_a", "mean_b", "difference", "ci_low", "ci_high", "better", "n", "status", "note",
]  # fmt: skip

Side = tuple[str, tuple[str, ...]]
"""A family, and those of its models that are compared."""

COLUMN = ["metric", "settings", "perturbation"]
"""What names a metric column."""


class Matrix(NamedTuple):
    """Scores of some rows of a leaderboard on the same samples.

    Args:
        rows: one row for each column of ``score``; its index counts them.
        score: ``(N, M)``.
        weight: ``(N, M)``.
    """

    rows: pd.DataFrame
    score: np.ndarray
    weight: np.ndarray


def leaderboard(cells: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row for each (data set, model, method, metric, settings, perturbation).

    Ranks compare the methods of one model. A cell that failed or does not apply keeps its row, with empty
    numbers. The note says how many samples were left out, and whether an attack has not converged.
    """
    parts = [_ranked(matrix) for _, matrix in matrices(scores, ["dataset", "model"])]
    finished = pd.concat(parts) if parts else pd.DataFrame(columns=[*LEADERBOARD, "samples", "converged"])
    finished = finished.assign(cell=finished["metric"].astype(str).str.split(".").str[0])
    known = cells.rename(columns={"metric": "cell"})[[*_cell_label(), "seconds", "status", "note"]]
    table = finished.drop(columns=["seconds", "status", "note"], errors="ignore").merge(
        known, on=_cell_label(), how="left"
    )
    left_out = (
        (table["samples"] - table["n"]).astype(str)
        + " of "
        + table["samples"].astype(str)
        + " samples left out: "
    )
    why = np.where(
        table["perturbation"] != "", "the prediction changed under the perturbation", "their weight is zero"
    )
    table["note"] = table["note"].where(table["n"] == table["samples"], left_out + why)
    weak = table["converged"] == NOT_CONVERGED
    table.loc[weak, "note"] = (table.loc[weak, "note"] + f"; {NOT_CONVERGED}").str.removeprefix("; ")
    empty = cells[cells["status"] != "ok"].drop(columns="n").reindex(columns=LEADERBOARD)
    empty["higher_is_better"] = ""
    table = pd.concat([table, empty])[LEADERBOARD]
    for name in ("n", "rank", "rank_low", "rank_high"):
        table[name] = table[name].astype("Int64")
    order = ["dataset", "model", *COLUMN, "rank", "method"]
    return table.sort_values(order, kind="stable", na_position="last").reset_index(drop=True)


def _ranked(matrix: Matrix) -> pd.DataFrame:
    """Means, intervals and ranks of the rows of one model."""
    n = len(matrix.score)
    mean = weighted_means(np.ones((1, n)), matrix.score, matrix.weight)[0]
    resampled = weighted_means(resampled_counts(n), matrix.score, matrix.weight)
    low, high = interval(resampled)
    used = (matrix.weight != 0).sum(0)
    steady = converged(matrix.rows, matrix.score, matrix.weight)
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


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each model and method, one column of means for each metric column."""
    judged = table[table["method"] != ""]
    names = short_names(judged)
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


def families(cells: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Models of different families, and whole families, compared in pairs on common correct samples.

    Only columns that may be compared across models take part. A sample counts if every model classifies it
    correctly. A family's mean is the plain mean over its models; it is empty where one of them has no score.
    """
    comparable = scores[scores["across_models"] & (scores["method"] != "")]
    labels = cells[[*LABEL, "status", "note"]].astype(str).iloc[::-1].itertuples(index=False)
    states = {row[: len(LABEL)]: row[len(LABEL) :] for row in labels}
    rows = []
    for dataset, of_dataset in comparable.groupby("dataset", observed=True):
        correct = correct_by_all(of_dataset)
        planned = cells.loc[cells["dataset"] == dataset, ["model", "family"]]
        models = planned.drop_duplicates().sort_values(["family", "model"])
        opponents = list(_opponents(_sides(models)))
        kept = of_dataset["sample"].map(correct).to_numpy(dtype=bool)
        for _, matrix in matrices(
            of_dataset[kept] if kept.any() else of_dataset, ["dataset", "method", *COLUMN]
        ):
            pairs = _pairs(matrix, opponents, states)
            rows.extend(pairs if kept.any() else map(_without_common, pairs))
    return pd.DataFrame(rows, columns=FAMILIES)


def correct_by_all(scores: pd.DataFrame) -> pd.Series:
    """Whether all models classify a sample correctly, by its number, ascending."""
    return scores.groupby("sample", observed=True)["correct"].all()


def _without_common(row: dict[str, Any]) -> dict[str, Any]:
    fixed = {name: row[name] for name in FAMILIES[:10]}
    return {
        **fixed,
        "n": 0,
        "status": "inapplicable",
        "note": "no sample is classified correctly by all models",
    }


def _pairs(
    matrix: Matrix, opponents: list[tuple[Side, Side]], states: Mapping[tuple[str, ...], tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    n = len(matrix.score)
    mean = weighted_means(np.ones((1, n)), matrix.score, matrix.weight)[0]
    resampled = weighted_means(resampled_counts(n), matrix.score, matrix.weight)
    place = {model: position for position, model in enumerate(matrix.rows["model"])}
    first = {str(name): str(value) for name, value in matrix.rows.iloc[0].items()}
    fixed = {name: first[name] for name in ("dataset", "method", *COLUMN, "higher_is_better")}
    for (family_a, names_a), (family_b, names_b) in opponents:
        row = {
            **fixed,
            "family_a": family_a,
            "family_b": family_b,
            "models_a": "+".join(names_a),
            "models_b": "+".join(names_b),
            "n": n,
            "status": "ok",
            "note": "",
        }
        missing = [name for name in (*names_a, *names_b) if name not in place]
        if missing:
            yield {**row, "n": 0, **_why_missing(first, missing[0], states)}
            continue
        a, b = [place[name] for name in names_a], [place[name] for name in names_b]
        row["n"] = int((matrix.weight[:, a + b] != 0).all(1).sum())
        difference = resampled[:, a].mean(1) - resampled[:, b].mean(1)
        (low,), (high,) = interval(difference[:, None])
        means = mean[a].mean(), mean[b].mean()
        yield {
            **row,
            "mean_a": means[0],
            "mean_b": means[1],
            "difference": means[0] - means[1],
            "ci_low": low,
            "ci_high": high,
            "better": _better(first["higher_is_better"], low, high, family_a, family_b),
        }


def _opponents(sides: list[Side]) -> Iterator[tuple[Side, Side]]:
    """Models of different families, and families; a model meets a whole family only for a family of its own."""
    for a, b in combinations(sides, 2):
        alike = (len(a[1]) > 1) == (len(b[1]) > 1)
        if a[0] != b[0] and (alike or _whole(a[1], b[1], sides)):
            yield a, b


def _sides(models: pd.DataFrame) -> list[Side]:
    """Each model alone, then each family of several models as a whole."""
    single = [(family, (model,)) for model, family in models[["model", "family"]].itertuples(index=False)]
    whole = [
        (str(family), tuple(group["model"])) for family, group in models.groupby("family", observed=True)
    ]
    return single + [side for side in whole if len(side[1]) > 1]


def _whole(a: tuple[str, ...], b: tuple[str, ...], sides: list[Side]) -> bool:
    """Whether a family of several models meets a family that has one model only."""
    alone = a if len(a) == 1 else b
    family = next(family for family, names in sides if names == alone)
    return sum(other == family for other, _ in sides) == 1


def _better(direction: str, low: float, high: float, a: str, b: str) -> str:
    if direction not in ("True", "False") or not (low > 0 or high < 0):
        return ""
    return a if (low > 0) == (direction == "True") else b


def _why_missing(
    row: Mapping[str, str], model: str, states: Mapping[tuple[str, ...], tuple[str, str]]
) -> dict[str, str]:
    cell = {**row, "model": model, "metric": row["metric"].partition(".")[0]}
    found = states.get(tuple(cell[name] for name in LABEL))
    if found is None:
        return {"status": "missing", "note": f"{model} was not asked for"}
    return {"status": found[0], "note": f"{model}: {found[1]}"}


def models(cells: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row a model: means of the model metrics with intervals, and the largest score where none is better.

    Named columns have no largest score: where they hold contributions of samples (a percentile), it means nothing.
    """
    own = _without_repeats(scores[scores["method"] == ""])
    names = short_names(own)
    rows = {}
    for key, matrix in matrices(own, ["dataset", "model"]):
        n = len(matrix.score)
        mean = weighted_means(np.ones((1, n)), matrix.score, matrix.weight)[0]
        low, high = interval(weighted_means(resampled_counts(n), matrix.score, matrix.weight))
        row: dict[str, float] = {"n": n}
        for position, name in enumerate(names.reindex(matrix.rows["first"])):
            row |= {name: mean[position], f"{name}:ci_low": low[position], f"{name}:ci_high": high[position]}
            column = matrix.rows.iloc[position]
            if not column["higher_is_better"] and "." not in column["metric"]:
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
    """The scores less those of columns that are the same under several settings, as radii are for every epsilon."""
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


def short_names(table: pd.DataFrame) -> pd.Series:
    """A name for each row's metric column that shows only the settings that tell rows apart."""
    unique = table[COLUMN].astype(str).drop_duplicates()
    names = {}
    for _, group in unique.groupby("metric", sort=False):
        settings = [read_settings(text) for text in group["settings"]]
        varying = (
            [key for key in settings[0] if len({one.get(key) for one in settings}) > 1] if settings else []
        )
        several = group["perturbation"].nunique() > 1
        for (metric, text, perturbation), one in zip(group.itertuples(index=False), settings, strict=True):
            shown = ",".join(f"{key}={one[key]}" for key in varying)
            name = metric + (f"[{shown}]" if shown else "") + (f"@{perturbation}" if several else "")
            names[metric, text, perturbation] = name
    keys = zip(*(table[name].astype(str) for name in COLUMN), strict=True)
    return pd.Series([names[key] for key in keys], index=table.index, dtype=object)


def read_settings(text: str) -> dict[str, str]:
    """Settings by name, from their text in a table: ``baseline=mean,steps=28``."""
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)


def _cell_label() -> list[str]:
    return ["dataset", "model", "method", "cell", "settings", "perturbation"]


def matrices(scores: pd.DataFrame, keys: list[str]) -> Iterator[tuple[tuple[str, ...], Matrix]]:
    """Groups of score rows as matrices: within a group every row has the same samples, sorted by number."""
    labels = scores.groupby(LABEL, observed=True, sort=True).ngroup().to_numpy()
    order = np.lexsort((scores["sample"].to_numpy(), labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    blocks = [slice(*ends) for ends in pairwise([*starts, len(order)])]
    values = {name: scores[name].to_numpy(dtype=np.float64)[order] for name in ("score", "weight")}
    first = scores.iloc[order[starts]]
    fixed = [name for name in LEADERBOARD if name in scores.columns]
    rows = first[fixed].astype(str).assign(first=first.index).reset_index(drop=True)
    for key, group in rows.groupby(keys, sort=True):
        # one row of memory for each row of the table, so that equal rows have means that are equal to the last bit
        score, weight = (
            np.stack([values[name][blocks[row]] for row in group.index]).T for name in ("score", "weight")
        )
        yield tuple(map(str, key)), Matrix(group.reset_index(drop=True), score, weight)
