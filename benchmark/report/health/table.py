"""Metric health: is random last, does a blurred copy beat its map, do other samples order the methods alike?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...statistics.means import interval, means
from ...statistics.ranks import Ranks
from ...store.glossary import Glossary
from ...toolkit.roles import BLURRED, RANDOM
from ..blocks import COLUMN, Blocks, Matrix
from ..column_names import short_names
from ..reliability import agreement, exact, halves, split_half
from ..standing import Standing

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


def metric_health(
    cells: pd.DataFrame, blocks: Blocks, standings: list[Standing], glossary: Glossary
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Signs that a metric column measures what it should, for each model and each column with a direction.

    How reliable the order of the methods is counts those methods alone that are no controls and have a mean; methods
    without one are counted as ``absent``. What is beyond doubt better than what is as the leaderboard's ranks have it.

    Returns:
        one row for each (data set, model, metric column); one row for each map and its blurred copy.
    """
    controls = set(cells.loc[cells["control"].astype(bool), "method"])
    planned = (
        cells[~cells["method"].isin(controls)].groupby(["dataset", "model", *COLUMN], observed=True).size()
    )
    random, copies = glossary.methods_with(RANDOM), _copies(glossary)
    rows, pairs = [], []
    for one in standings:
        if one.ranks is None:
            continue
        matrix = blocks.matrix(one.places)
        known = np.flatnonzero(~np.isnan(one.mean))
        place = dict(zip(blocks.words["method"][one.places[known]], known.tolist(), strict=True))
        if not place:
            continue
        methods = np.array([place[name] for name in place if name not in controls], dtype=int)
        control = next((place[name] for name in place if name in random), None)
        fixed = blocks.facts(one.places[0])
        sign = 1 if fixed["higher_is_better"] == "True" else -1
        compared = list(_blurred(one.ranks, matrix, place, copies))
        rows.append(
            {
                **fixed,
                "methods": len(methods),
                "absent": planned.get(_cell(fixed, glossary), 0) - len(methods),
                "samples": one.samples,
                **_order(matrix, methods, sign),
                **_random(one.ranks, sign * one.mean, methods, control),
                "blurred_pairs": len(compared),
                "blurred_better": sum(pair["better"] == pair["blurred"] for pair in compared),
            }
        )
        pairs.extend({**fixed, **pair} for pair in compared)
    return _as_table(rows, glossary), pd.DataFrame(pairs, columns=BLURRED_COPIES)


def _cell(row: Mapping[str, str], glossary: Glossary) -> tuple[str, ...]:
    """What names the cells whose scores a row is of, all methods together."""
    metric = glossary.columns[row["metric"]].metric
    return (row["dataset"], row["model"], metric, row["settings"], row["perturbation"])


def _as_table(rows: list[dict[str, Any]], glossary: Glossary) -> pd.DataFrame:
    health = pd.DataFrame(rows, columns=[name for name in HEALTH if name != "column"])
    health = health.assign(column=short_names(health, glossary))[HEALTH]
    return health.astype(dict.fromkeys(_COUNTS, "Int64"))


def _order(matrix: Matrix, methods: np.ndarray, sign: int) -> dict[str, Any]:
    """How reliable the order of the methods is."""
    weight = matrix.weight[:, methods]
    weighted = np.nan_to_num(matrix.score[:, methods]) * weight
    half = halves(len(weight))
    first, second = (sign * _half_means(share, weighted, weight) for share in (half, 1 - half))
    correlation, splits = split_half(first, second)
    alpha, n = agreement(matrix.score[:, methods], weight)
    return {"split_half": correlation, "splits": splits, "alpha": alpha, "n": n}


def _half_means(half: np.ndarray, weighted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means over the samples of each half, ``(S, n)`` to ``(S, M)``; NaN where weights add up to nothing."""
    total = half @ weight
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(total) > 0, (half @ weighted) / total, np.nan)


def _random(ranks: Ranks, mean: np.ndarray, methods: np.ndarray, control: int | None) -> dict[str, Any]:
    """Rank of the random control among the methods, how many methods beat it, and how many it beats.

    Args:
        ranks: of the rows of one model in one column.
        mean: of the same, the greater the better.
        methods: places of those that are no controls.
        control: place of the random one.
    """
    if control is None or not len(methods):
        return {}
    mean = exact(mean[[control, *methods]])
    return {
        "random_rank": 1 + (mean[1:] > mean[0]).sum(),
        "random_last": str(bool((mean[1:] > mean[0]).all())),
        "beat_random": ranks.better[methods, control].sum(),
        "random_beats": ranks.better[control, methods].sum(),
    }


def _blurred(
    ranks: Ranks, matrix: Matrix, place: Mapping[str, int], copies: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Each blurred copy against the map that it was made from; each interval holds by itself.

    Args:
        ranks: of the rows of one model in one column.
        matrix: their scores.
        place: where the methods with a mean stand among these rows.
        copies: the method that each blurred copy was made from.
    """
    pairs = [(copy, of) for copy, of in copies.items() if copy in place and of in place]
    if not pairs:
        return
    copy, of = np.array([(place[copy], place[of]) for copy, of in pairs]).T
    found = means(matrix.score, matrix.weight)
    used = np.minimum(found.used[copy], found.used[of])
    difference = found.mean[copy] - found.mean[of]
    low, high = interval(difference, found.influence[:, copy] - found.influence[:, of], used)
    for i, (blurred, method) in enumerate(pairs):
        better = ranks.better
        yield {
            "method": method,
            "blurred": blurred,
            "mean": found.mean[of[i]],
            "mean_blurred": found.mean[copy[i]],
            "difference": difference[i],
            "ci_low": low[i],
            "ci_high": high[i],
            "better": blurred if better[copy[i], of[i]] else method if better[of[i], copy[i]] else "",
            "n": int(used[i]),
        }


def _copies(glossary: Glossary) -> dict[str, str]:
    """The method whose map each blurred copy was made from."""
    return {name: glossary.methods[name].settings.get("of", "") for name in glossary.methods_with(BLURRED)}
