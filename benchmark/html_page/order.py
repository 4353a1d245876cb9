"""The headline order, with what it would be had other images been drawn; descriptive, a test of nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..report.order import PLACE, in_order, mean_ranks, ranked, ranks_of, shares
from ..report.results import Results
from .names import Names

DRAWS = 200
"""How often images are drawn anew."""


class _Drawn(NamedTuple):
    """The means of the methods on one model in one column, each time that images are drawn anew.

    Args:
        methods: their names.
        mean: the greater the better, ``(DRAWS, M)``; NaN where no drawn image counts.
    """

    methods: list[str]
    mean: np.ndarray


def order(results: Results, names: Names) -> list[dict[str, Any]]:
    """The order of the methods for each data set: of all models together (-1), and of each.

    It is the order of :mod:`~xaiboard.benchmark.report.order` over the columns that pass their controls. Controls have
    no rank. A method that has no score in one of the columns is left out, and named. Intervals hold 95 % of the orders
    of as many images drawn anew, the same images in all columns.
    """
    found = []
    for place, dataset in enumerate(names.datasets):
        rows = ranked(results, dataset)
        rows = rows[rows["counts"] & ~rows["control"].astype(bool)]
        drawn = _drawn(results, dataset, rows)
        for model in (-1, *range(len(names.models))):
            own = rows if model == -1 else rows[rows["model"] == names.models[model]]
            if len(own):
                found.append({"dataset": place, "model": model, **_order(own, drawn, names)})
    return found


def _drawn(results: Results, dataset: str, rows: pd.DataFrame) -> dict[tuple[str, ...], _Drawn]:
    """Means of the rows under each draw of images, by ``PLACE``."""
    blocks, wanted = results.blocks, set(rows[PLACE].astype(str).itertuples(index=False, name=None))
    columns = {}
    for one in results.standings:
        of, model, perturbation, metric, settings = one.key
        key = model, metric, settings, perturbation
        if of == dataset and key in wanted:
            columns[key] = one.places[
                [name not in results.controls for name in _methods(results, one.places)]
            ]
    if not columns:
        return {}
    everyone = blocks.samples(np.concatenate(list(columns.values())))
    chances = np.full(len(everyone), 1 / len(everyone))
    times = np.random.default_rng(0).multinomial(len(everyone), chances, size=DRAWS).astype(float)
    found = {}
    for key, places in columns.items():
        matrix = blocks.matrix(places)
        share = times[:, np.searchsorted(everyone, blocks.samples(places))]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (share @ (np.nan_to_num(matrix.score) * matrix.weight)) / (share @ matrix.weight)
        higher = blocks.facts(places[0])["higher_is_better"] == "True"
        found[key] = _Drawn(_methods(results, places), mean if higher else -mean)
    return found


def _methods(results: Results, places: np.ndarray) -> list[str]:
    return list(results.blocks.words["method"][places])


def _order(rows: pd.DataFrame, drawn: dict[tuple[str, ...], _Drawn], names: Names) -> dict[str, Any]:
    """Mean ranks of the methods that all columns have, best first, with what went in and who was left out."""
    ranks = ranks_of(rows)
    mean = mean_ranks(ranks)
    methods = in_order(mean.dropna())
    again = np.zeros((DRAWS, len(methods)))
    for (_, *key), share in zip(ranks.columns, shares(ranks.columns), strict=True):
        one = drawn[tuple(map(str, key))]
        values = pd.DataFrame(one.mean[:, [one.methods.index(name) for name in methods]])
        again += share * values.rank(axis=1, ascending=False, na_option="bottom").to_numpy()
    low, high = np.quantile(again, (0.025, 0.975), axis=0)
    families = ranks.columns.get_level_values("metric_family").value_counts(sort=False).sort_index()
    return {
        "methods": [names.method_at[name] for name in methods],
        "rank": mean[methods].round(3).tolist(),
        "low": low.round(3).tolist(),
        "high": high.round(3).tolist(),
        "columns": sorted(
            {names.column_at[name, settings, change] for _, _, name, settings, change in ranks.columns}
        ),
        "families": {str(name): int(count) for name, count in families.items() if count},
        "leftOut": sorted(names.method_at[name] for name in mean.index.difference(methods)),
    }
