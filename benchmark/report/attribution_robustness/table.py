"""How attributions fare under perturbations: a row for each score, beside its chance level and its conditions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...store.tables import LABEL
from ..bootstrap import interval, resampled_counts, weighted_means
from ..column_names import read_settings
from ..matrices import Matrix, correct_by_all, matrices
from .convergence import CONVERGED, NOT_CONVERGED, converged

SIZE = "perturbation_size"
"""The metric of the conditions: how far the perturbed input is, and what becomes of the prediction."""

CONDITIONS = {"held": "held", "l2": "", "linf": "linf", "output_change": "output_change"}
"""Columns of the table, and the columns of ``SIZE`` that they come from."""

ABOVE, CHANCE = "above_chance", "chance"

ROBUSTNESS = [
    "dataset", "model", "family", "method", "perturbation", "metric", "settings", "column", "higher_is_better",
    "mean", "ci_low", "ci_high", "chance", "above_chance", "above_low", "above_high", "n", "held", "moved", "l2",
    "linf", "output_change", "common_mean", "common_low", "common_high", "common_chance", "common_above",
    "common_above_low", "common_above_high", "common_n", "converged",
]  # fmt: skip

_ROW = ["dataset", "model", "method", "perturbation", "metric", "settings"]


class Condition(NamedTuple):
    """What becomes of the samples of one model and method under one perturbation.

    Args:
        held: whether the prediction did, ``(N,)``.
        sizes: means over the samples that held, of ``CONDITIONS``, as far as they are known, and the share that moved.
    """

    held: np.ndarray
    sizes: dict[str, float]


class Perturbation(NamedTuple):
    """A perturbation's name and settings, from their text in a table."""

    name: str
    settings: dict[str, str]

    @property
    def eps(self) -> float:
        """Its radius; NaN where it has none."""
        return float(self.settings.get("eps", "nan"))


def read_perturbation(text: str) -> Perturbation:
    """``sign_noise[eps=0.1]`` in its parts."""
    name, _, settings = text.partition("[")
    return Perturbation(name, read_settings(settings.removesuffix("]")))


def name_kinds(perturbations: Iterable[str], but: Collection[str] = ("eps",)) -> dict[str, str]:
    """A short name for each perturbation: with the settings that tell its likes apart, ``but`` some."""
    read = {text: read_perturbation(text) for text in sorted(set(perturbations))}
    kinds = {}
    for text, (name, settings) in read.items():
        likes = [other.settings for other in read.values() if other.name == name]
        varying = [key for key in settings if len({like.get(key) for like in likes}) > 1]
        shown = ",".join(f"{key}={settings[key]}" for key in varying if key not in but and settings[key])
        kinds[text] = name + (f"[{shown}]" if shown else "")
    return kinds


def usual_eps(rows: pd.DataFrame) -> float:
    """The radius that most kinds of perturbation have, of equals the largest; NaN where none has one."""
    kinds = rows.groupby("eps")["kind"].nunique()
    return float(kinds[kinds == kinds.max()].index.max()) if len(kinds) else np.nan


def at_usual_eps(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of perturbations of that radius, and of those that have none."""
    return rows[(rows["eps"] == usual_eps(rows)) | rows["eps"].isna()]


def headline(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of one score that stands for all, each with the ``kind`` and ``eps`` of its perturbation.

    LENS recall at the smallest window above 0 where the run has it, or else the first score with a chance level; none
    where there is no such score. A row under whose perturbation no prediction held has no score.
    """
    plain = table[table["column"] == ""]
    choices = plain.loc[plain[ABOVE].notna(), ["metric", "settings"]].drop_duplicates()
    best = min(choices.itertuples(index=False, name=None), key=_preference, default=("", ""))
    return with_kinds(plain[(plain["metric"] == best[0]) & (plain["settings"] == best[1])])


def with_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """The table, with the ``kind`` and ``eps`` of each perturbation."""
    kinds = name_kinds(table["perturbation"])
    eps = {text: read_perturbation(text).eps for text in kinds}
    return table.assign(
        kind=table["perturbation"].map(kinds), eps=table["perturbation"].map(eps).astype(float)
    )


def _preference(choice: tuple[str, str]) -> tuple[bool, bool, float, str, str]:
    metric, settings = choice
    values = read_settings(settings)
    window = float(values.get("window", 0))
    lens = metric == "lens_recall" and window > 0
    return not lens, values.get("reference", "clean") != "clean", window, metric, settings


def attribution_robustness(table: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row for each (data set, model, method, perturbation, score of two maps); none where nothing is perturbed.

    Means, intervals and ``n`` are those of the leaderboard, over the samples whose prediction held, whose share of all
    samples is ``held``; sizes and output change are means over the same. An attack on maps keeps the prediction, and
    returns the sample itself where it finds nothing worse: ``moved`` is the share of those that held and are not the
    sample itself. A score's chance level and its value above chance are in its own row. ``common_`` numbers are over
    the samples whose prediction held under that perturbation for all models that the method applies to, and which all
    models classify correctly. Columns without direction have no row.

    Args:
        table: the leaderboard.
        scores: of the same run.
    """
    judged = scores[scores["method"] != ""]
    perturbed = judged[judged["perturbation"] != ""]
    parts = []
    for dataset, of_dataset in perturbed.groupby("dataset", observed=True):
        correct = correct_by_all(judged[judged["dataset"] == dataset]).to_numpy()
        counts = resampled_counts(len(correct))
        for _, matrix in matrices(of_dataset, ["method"]):
            steady = converged(matrix.rows, matrix.score, matrix.weight)
            rows = matrix.rows.assign(converged=steady)
            parts.extend(_under(matrix._replace(rows=rows), correct, counts))
    if not parts:
        return pd.DataFrame(columns=ROBUSTNESS)
    known = table[[*LABEL, "family", "higher_is_better", "mean", "ci_low", "ci_high", "n"]]
    found = pd.concat(parts).merge(known.astype(dict.fromkeys(LABEL, str)), on=LABEL, how="left")
    return _beside(found)


def _under(matrix: Matrix, correct: np.ndarray, counts: np.ndarray) -> Iterator[pd.DataFrame]:
    """Each perturbation of one method: its rows, with what all models have in common."""
    directed = matrix.rows["higher_is_better"].isin(["True", "False"])
    shown = (directed | matrix.rows["metric"].str.endswith(f".{CHANCE}")).to_numpy()
    for _, of_perturbation in matrix.rows.groupby("perturbation", sort=True):
        conditions = {
            model: _condition(matrix, rows) for model, rows in of_perturbation.groupby("model", sort=True)
        }
        common = correct & np.logical_and.reduce([condition.held for condition in conditions.values()])
        at = of_perturbation.index[shown[of_perturbation.index]].to_numpy()
        score, weight = (values[np.ix_(common, at)] for values in (matrix.score, matrix.weight))
        low, high = interval(weighted_means(counts[:, common], score, weight))
        sizes = [conditions[model].sizes for model in of_perturbation["model"][at]]
        yield matrix.rows.loc[at, [*LABEL, "converged"]].assign(
            **{name: [size.get(name, np.nan) for size in sizes] for name in (*CONDITIONS, "moved")},
            common_mean=weighted_means(np.ones((1, len(score))), score, weight)[0],
            common_low=low,
            common_high=high,
            common_n=(weight != 0).sum(0),
        )


def _condition(matrix: Matrix, rows: pd.DataFrame) -> Condition:
    """The samples that held, as measured, or else those that any metric of two maps counts."""
    named = dict(zip(rows["metric"], rows.index, strict=True))
    measured = {
        name: matrix.score[:, named[metric]]
        for name, column in CONDITIONS.items()
        if (metric := f"{SIZE}.{column}".removesuffix(".")) in named
    }
    counted = (matrix.weight[:, rows.index] != 0).any(1)
    held = measured["held"] == 1 if "held" in measured else counted
    if "linf" in measured:
        measured["moved"] = (measured["linf"] > 0).astype(float)
    sizes = {name: float(values[held].mean()) if held.any() else np.nan for name, values in measured.items()}
    return Condition(held, {**sizes, "held": float(held.mean())})


def _beside(found: pd.DataFrame) -> pd.DataFrame:
    """The rows of the scores, each with its chance level and its value above chance."""
    parts = found["metric"].str.partition(".")
    found = found.assign(metric=parts[0], column=parts[2])
    plain = found[~found["column"].isin([CHANCE, ABOVE])]

    def part(column: str, names: dict[str, str]) -> pd.DataFrame:
        rows = found[found["column"] == column].assign(column="")
        return rows[[*_ROW, "column", *names]].rename(columns=names)

    above = part(
        ABOVE,
        {
            "mean": ABOVE, "ci_low": "above_low", "ci_high": "above_high", "common_mean": "common_above",
            "common_low": "common_above_low", "common_high": "common_above_high", "converged": "above_converged",
        },
    )  # fmt: skip
    chance = part(CHANCE, {"mean": CHANCE, "common_mean": "common_chance"})
    for beside in (chance, above):
        plain = plain.merge(beside, on=[*_ROW, "column"], how="left")
    weak = (plain["converged"] == CONVERGED) & (plain["above_converged"] == NOT_CONVERGED)
    plain = plain.assign(converged=plain["converged"].where(~weak, NOT_CONVERGED))
    order = ["dataset", "metric", "settings", "column", "perturbation", "method", "model"]
    return plain.sort_values(order, kind="stable")[ROBUSTNESS].reset_index(drop=True)
