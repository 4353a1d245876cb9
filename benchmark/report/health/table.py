"""Metric health: is random last, does a blurred copy beat its map, do other samples order the methods alike?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...store.glossary import Glossary
from ...toolkit.roles import BLURRED, RANDOM
from ..bootstrap import LEVEL, holm, interval, p_values, resampled_counts, weighted_means
from ..column_names import short_names
from ..matrices import COLUMN, Matrix, matrices
from ..reliability import agreement, exact, halves, split_half

HEALTH = [
    "dataset", "model", "family", "metric", "settings", "perturbation", "column", "metric_family",
    "higher_is_better", "methods", "absent", "samples", "n", "random_rank", "random_last", "beat_random",
    "random_beats", "blurred_pairs", "blurred_better", "split_half", "splits", "alpha",
]  # fmt: skip

BLURRED_COPIES = [
    "dataset", "model", "metric", "settings", "perturbation", "higher_is_better", "method", "blurred", "mean",
    "mean_blurred", "difference", "ci_low", "ci_high", "better", "n",
]  # fmt: skip

_COUNTS = [
    "methods", "absent", "samples", "n", "random_rank", "beat_random", "random_beats", "blurred_pairs",
    "blurred_better", "splits",
]  # fmt: skip


class Means(NamedTuple):
    """Means of ``M`` rows of one model, with the sign that makes the greater one the better.

    Args:
        sign: ``(M,)``.
        mean: ``(M,)``.
        resampled: ``(R, M)``.
        used: samples behind each mean, ``(M,)``.
        halves: means over either half of random splits, ``(S, M)`` each.
    """

    sign: np.ndarray
    mean: np.ndarray
    resampled: np.ndarray
    used: np.ndarray
    halves: tuple[np.ndarray, np.ndarray]


def metric_health(
    cells: pd.DataFrame, scores: pd.DataFrame, glossary: Glossary
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Signs that a metric column measures what it should, for each model and each column with a direction.

    How reliable the order of the methods is counts those methods alone that are no controls and have a mean; methods
    without one are counted as ``absent``.

    Returns:
        one row for each (data set, model, metric column); one row for each map and its blurred copy.
    """
    controls = set(cells.loc[cells["control"].astype(bool), "method"])
    planned = (
        cells[~cells["method"].isin(controls)].groupby(["dataset", "model", *COLUMN], observed=True).size()
    )
    random, copies = glossary.methods_with(RANDOM), _copies(glossary)
    rows, pairs = [], []
    judged = scores[(scores["method"] != "") & scores["higher_is_better"].isin(["True", "False"])]
    for _, matrix in matrices(judged, ["dataset", "model"]):
        means = _means(matrix)
        for _, column in matrix.rows[~np.isnan(means.mean)].groupby(COLUMN, observed=True, sort=True):
            place = dict(zip(column["method"], column.index, strict=True))
            methods = np.array([place[name] for name in place if name not in controls], dtype=int)
            control = next((place[name] for name in place if name in random), None)
            compared = list(_blurred(means, place, copies))
            fixed = column.iloc[0]
            rows.append(
                {
                    **fixed,
                    "methods": len(methods),
                    "absent": planned.get(_cell(fixed, glossary), 0) - len(methods),
                    "samples": len(matrix.score),
                    **_order(matrix, means, methods),
                    **_random(means, methods, control),
                    "blurred_pairs": len(compared),
                    "blurred_better": sum(pair["better"] == pair["blurred"] for pair in compared),
                }
            )
            pairs.extend({**fixed, **pair} for pair in compared)
    return _as_table(rows, glossary), pd.DataFrame(pairs, columns=BLURRED_COPIES)


def _cell(row: pd.Series, glossary: Glossary) -> tuple[str, ...]:
    """What names the cells whose scores a row is of, all methods together."""
    metric = glossary.columns[row["metric"]].metric
    return (row["dataset"], row["model"], metric, row["settings"], row["perturbation"])


def _as_table(rows: list[dict[str, Any]], glossary: Glossary) -> pd.DataFrame:
    health = pd.DataFrame(rows, columns=[name for name in HEALTH if name != "column"])
    health = health.assign(column=short_names(health, glossary))[HEALTH]
    return health.astype(dict.fromkeys(_COUNTS, "Int64"))


def _means(matrix: Matrix) -> Means:
    """All means that the tables of health take, of the rows of one model."""
    n = len(matrix.score)
    sign = np.where(matrix.rows["higher_is_better"] == "True", 1, -1)
    half = halves(n)
    mean, resampled, first, second = (
        sign * weighted_means(counts, matrix.score, matrix.weight)
        for counts in (np.ones((1, n)), resampled_counts(n), half, 1 - half)
    )
    return Means(sign, mean[0], resampled, (matrix.weight != 0).sum(0), (first, second))


def _order(matrix: Matrix, means: Means, methods: np.ndarray) -> dict[str, Any]:
    """How reliable the order of the methods is."""
    first, second = (half[:, methods] for half in means.halves)
    correlation, splits = split_half(first, second)
    alpha, n = agreement(matrix.score[:, methods], matrix.weight[:, methods])
    return {"split_half": correlation, "splits": splits, "alpha": alpha, "n": n}


def _random(means: Means, methods: np.ndarray, control: int | None) -> dict[str, Any]:
    """Rank of the random control among the methods, how many methods beat it, and how many it beats."""
    if control is None or not len(methods):
        return {}
    mean = exact(means.mean[[control, *methods]])
    verdicts, _ = _verdicts(means, methods, np.full_like(methods, control))
    return {
        "random_rank": 1 + (mean[1:] > mean[0]).sum(),
        "random_last": str(bool((mean[1:] > mean[0]).all())),
        "beat_random": (verdicts > 0).sum(),
        "random_beats": (verdicts < 0).sum(),
    }


def _blurred(means: Means, place: Mapping[str, int], copies: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Each blurred copy against the map that it was made from.

    Args:
        means: of the rows of one model.
        place: where the methods with a mean in one column stand among these rows.
        copies: the method that each blurred copy was made from.
    """
    pairs = [(copy, of) for copy, of in copies.items() if copy in place and of in place]
    copy, of = np.array([(place[copy], place[of]) for copy, of in pairs], dtype=int).reshape(-1, 2).T
    verdicts, gain = _verdicts(means, copy, of)
    low, high = interval(means.sign[copy] * gain)
    mean = means.sign * means.mean
    for i, (blurred, method) in enumerate(pairs):
        yield {
            "method": method,
            "blurred": blurred,
            "mean": mean[of[i]],
            "mean_blurred": mean[copy[i]],
            "difference": mean[copy[i]] - mean[of[i]],
            "ci_low": low[i],
            "ci_high": high[i],
            "better": {1: blurred, -1: method}.get(int(verdicts[i]), ""),
            "n": int(means.used[[copy[i], of[i]]].min()),
        }


def _verdicts(means: Means, rows: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether ``rows`` are better than ``others``: 1, worse: -1, or 0 where that cannot be told, ``(P,)``.

    Returns:
        the verdicts at ``LEVEL``, Holm-corrected, and the resampled gains, ``(R, P)``.
    """
    gain = means.resampled[:, rows] - means.resampled[:, others]
    level = np.abs(means.mean[rows]) + np.abs(means.mean[others])
    gain[np.abs(gain) <= 1e-9 * level] = 0  # equal scores whose sums are rounded in another order
    p = p_values(gain, np.minimum(means.used[rows], means.used[others]))
    sign = np.sign(means.mean[rows] - means.mean[others])
    return np.where(holm(p) <= 1 - LEVEL, sign, 0), gain


def _copies(glossary: Glossary) -> dict[str, str]:
    """The method whose map each blurred copy was made from."""
    return {name: glossary.methods[name].settings.get("of", "") for name in glossary.methods_with(BLURRED)}
