"""The headline order: mean ranks over the columns that pass their controls; descriptive, a test of nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..report.blocks import COLUMN
from ..report.health.controls import passes_controls
from ..report.results import Results
from ..report.standing import Standing
from .names import Names

DRAWS = 200
"""How often images are drawn anew."""


class _Column(NamedTuple):
    """Ranks of methods on one model in one column: of all images first, then of each draw.

    Args:
        model: place of the model.
        family: of the metric.
        column: place of the column.
        methods: places of the methods, ``(M,)``.
        ranks: 1 is best, ``(1 + DRAWS, M)``.
    """

    model: int
    family: str
    column: int
    methods: np.ndarray
    ranks: np.ndarray


def order(results: Results, names: Names) -> list[dict[str, Any]]:
    """The order of the methods for each data set: of all models together (-1), and of each.

    A column counts for a model if it passes its controls there. Ranks are averaged over the columns of a metric
    family, then over families, then over models, so that neither many settings of one metric nor a large family
    outweighs others. Controls have no rank. A method that has no score in one of the columns is left out, and named.
    Intervals hold 95 % of the orders of as many images drawn anew, the same images in all columns.
    """
    found = []
    for place, dataset in enumerate(names.datasets):
        columns = list(_columns(results, names, dataset))
        for model in (-1, *range(len(names.models))):
            taken = [one for one in columns if model in (-1, one.model)]
            if taken:
                found.append({"dataset": place, "model": model, **_mean_ranks(taken)})
    return found


def _columns(results: Results, names: Names, dataset: str) -> Iterator[_Column]:
    counted = _counted(results.health[results.health["dataset"] == dataset])
    blocks, controls = results.blocks, results.controls
    standings = [
        one
        for one in results.standings
        if one.ranks and one.key[0] == dataset and (one.key[1], *_column_of(one)) in counted
    ]
    if not standings:
        return
    everyone = blocks.samples(np.concatenate([one.places for one in standings]))
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(everyone), np.full(len(everyone), 1 / len(everyone)), size=DRAWS)
    times = np.vstack([np.ones(len(everyone)), drawn])
    for one in standings:
        methods = [
            (place, names.method_at[method])
            for place, method in zip(one.places, blocks.words["method"][one.places], strict=True)
            if method not in controls
        ]
        places = np.array([place for place, _ in methods])
        matrix = blocks.matrix(places)
        known = ~np.isnan(matrix.score).all(0)
        if known.sum() < 2:
            continue
        score, weight = np.nan_to_num(matrix.score[:, known]), matrix.weight[:, known]
        share = times[:, np.searchsorted(everyone, blocks.samples(places))]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (share @ (score * weight)) / (share @ weight)
        facts = blocks.facts(one.places[0])
        column = _column_of(one)
        yield _Column(
            names.model_at[one.key[1]],
            facts["metric_family"],
            names.column_at[column],
            np.array([method for _, method in methods])[known],
            _ranks(mean if facts["higher_is_better"] == "True" else -mean),
        )


def _column_of(one: Standing) -> tuple[str, str, str]:
    _, _, perturbation, metric, settings = one.key
    return metric, settings, perturbation


def _counted(health: pd.DataFrame) -> set[tuple[str, ...]]:
    """Models and columns that pass their controls."""
    rows = health.loc[passes_controls(health), ["model", *COLUMN]].astype(str)
    return set(rows.itertuples(index=False, name=None))


def _ranks(mean: np.ndarray) -> np.ndarray:
    """Ranks in each row, 1 for the greatest; equal means share the mean of their ranks, those without one are last."""
    from scipy.stats import rankdata

    return rankdata(-np.nan_to_num(mean, nan=-np.inf), axis=1)


def _mean_ranks(columns: list[_Column]) -> dict[str, Any]:
    """Mean ranks of the methods that all columns have, best first, with what went in and who was left out."""
    everywhere = set.intersection(*(set(one.methods.tolist()) for one in columns))
    anywhere = set.union(*(set(one.methods.tolist()) for one in columns))
    methods = np.array(sorted(everywhere), dtype=int)
    of_models: dict[int, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    for one in columns:
        there = one.ranks[:, np.searchsorted(one.methods, methods)]
        # among those that all columns have, so that ranks of different columns mean the same
        of_models[one.model][one.family].append(_ranks(-there) if len(methods) else there)
    rank = np.mean([_over_families(families) for families in of_models.values()], axis=0)
    low, high = np.quantile(rank[1:], (0.025, 0.975), axis=0)
    best_first = np.argsort(rank[0], kind="stable")
    return {
        "methods": methods[best_first].tolist(),
        "rank": rank[0][best_first].round(3).tolist(),
        "low": low[best_first].round(3).tolist(),
        "high": high[best_first].round(3).tolist(),
        "columns": sorted({one.column for one in columns}),
        "families": _counts(columns),
        "leftOut": sorted(anywhere - everywhere),
    }


def _over_families(families: Mapping[str, list[np.ndarray]]) -> np.ndarray:
    return np.mean([np.mean(ranks, axis=0) for ranks in families.values()], axis=0)


def _counts(columns: list[_Column]) -> dict[str, int]:
    """How many columns each metric family has, those of each model counted."""
    counts: dict[str, int] = defaultdict(int)
    for one in columns:
        counts[one.family] += 1
    return dict(sorted(counts.items()))
