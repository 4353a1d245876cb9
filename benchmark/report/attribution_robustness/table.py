"""How attributions fare under perturbations: a row for each score, beside its chance level and its conditions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ...statistics.means import interval, means
from ...store.columns import LABEL
from ...store.glossary import Glossary
from ...toolkit.labels import MetricColumn
from ...toolkit.roles import PERTURBATION_SIZE
from ..blocks import DIRECTIONS, Blocks, Matrix
from .convergence import CONVERGED, NOT_CONVERGED

CONDITIONS = {"held": "held", "l2": "", "linf": "linf", "output_change": "output_change"}
"""Columns of the table, and the columns of the metric of sizes that they come from."""

ABOVE, CHANCE = "above_chance", "chance"
"""Columns of a score of two maps, by which it gets a chance level and a value above it in its own row."""

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
        held: whether the predicted class stayed the same, ``(N,)``.
        sizes: means of ``CONDITIONS`` over the samples whose prediction held, as far as they were measured, and of
            ``moved``, the share of them that the perturbation changed at all.
    """

    held: np.ndarray
    sizes: dict[str, float]


def attribution_robustness(
    table: pd.DataFrame, blocks: Blocks, converged: np.ndarray, glossary: Glossary
) -> pd.DataFrame:
    """One row for each (data set, model, method, perturbation, score of two maps); none where nothing is perturbed.

    - ``mean``, its interval and ``n`` are the leaderboard's: over the samples whose prediction held, that is, stayed
      the same under the perturbation. ``held`` is their share of all samples.
    - ``l2``, ``linf`` and ``output_change`` are the perturbation's size and effect, means over the same samples.
      ``moved`` is the share of these samples that were changed at all: an attack on maps returns the sample itself
      where it finds nothing that changes the map and keeps the prediction.
    - ``chance`` is what the score would be if the two maps had nothing in common, ``above_chance`` the score on a
      scale from there (0) to full agreement (1).
    - ``common_`` numbers compare models fairly: they are over the samples that all models classify correctly, and
      whose prediction held under that perturbation for all models that the method applies to.
    - ``converged``: see :func:`.convergence.converged`.

    Columns of scores that have no direction get no row.

    Args:
        table: the leaderboard.
        blocks: the scores of the same run.
        converged: a word for each block, see :func:`.convergence.converged`.
        glossary: what the names in both stand for.
    """
    perturbed = (blocks.rows["method"] != "") & (blocks.rows["perturbation"] != "")
    parts = []
    for key, places in blocks.groups(["dataset", "method", "perturbation"], perturbed):
        rows = blocks.rows.loc[places].assign(converged=converged[places]).reset_index(drop=True)
        correct = blocks.correct(key[0]).reindex(blocks.samples(places), fill_value=False)
        parts.append(_under(rows, blocks.matrix(places), correct.to_numpy(), glossary))
    if not any(map(len, parts)):  # nothing but sizes, which are conditions of scores
        return pd.DataFrame(columns=ROBUSTNESS)
    known = table[[*LABEL, "family", "higher_is_better", "mean", "ci_low", "ci_high", "n"]]
    found = pd.concat(parts).merge(known.astype(dict.fromkeys(LABEL, str)), on=LABEL, how="left")
    return _beside(found, glossary)


def _under(rows: pd.DataFrame, matrix: Matrix, correct: np.ndarray, glossary: Glossary) -> pd.DataFrame:
    """The rows of one method under one perturbation, with the numbers on the samples that all models share.

    Args:
        rows: of the method under the perturbation.
        matrix: their scores.
        correct: whether all models classify a sample correctly, ``(N,)``.
        glossary: what the names stand for.
    """
    of_chance = np.array([glossary.columns[text].name == CHANCE for text in rows["metric"]])
    at = np.flatnonzero(rows["higher_is_better"].isin(DIRECTIONS) | of_chance)
    size = glossary.metric_with(PERTURBATION_SIZE)
    conditions = {model: _condition(matrix, own, size) for model, own in rows.groupby("model", sort=True)}
    common = correct & np.logical_and.reduce([condition.held for condition in conditions.values()])
    found = means(matrix.score[np.ix_(common, at)], matrix.weight[np.ix_(common, at)])
    low, high = interval(found.mean, found.influence, found.used)
    sizes = [conditions[model].sizes for model in rows["model"][at]]
    return rows.loc[at, [*LABEL, "converged"]].assign(
        **{name: [size.get(name, np.nan) for size in sizes] for name in (*CONDITIONS, "moved")},
        common_mean=found.mean,
        common_low=low,
        common_high=high,
        common_n=found.used,
    )


def _condition(matrix: Matrix, rows: pd.DataFrame, size: str) -> Condition:
    """What became of the samples, from the rows of one model and perturbation.

    Whether a prediction held is measured by the metric ``size``; in a run without it, a sample held if any score of
    two maps gives it a weight.
    """
    named = dict(zip(rows["metric"], rows.index, strict=True))
    measured = {
        name: matrix.score[:, named[metric]]
        for name, column in CONDITIONS.items()
        if (metric := str(MetricColumn(size, column))) in named
    }
    counted = (matrix.weight[:, rows.index] != 0).any(1)
    held = measured["held"] == 1 if "held" in measured else counted
    if "linf" in measured:
        measured["moved"] = (measured["linf"] > 0).astype(float)
    sizes = {name: float(values[held].mean()) if held.any() else np.nan for name, values in measured.items()}
    return Condition(held, {**sizes, "held": float(held.mean())})


def _beside(found: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """The rows of the scores, each with its chance level and its value above chance, which have rows of their own."""
    columns = [glossary.columns[text] for text in found["metric"]]
    found = found.assign(metric=[one.metric for one in columns], column=[one.name for one in columns])
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
