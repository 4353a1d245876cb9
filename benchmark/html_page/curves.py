"""Curves of the page: output against erased or inserted share, and robustness against the radius."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..report.attribution_robustness.settings import headline
from ..report.health.by_metric import readable
from ..report.results import Results
from ..store.columns import LABEL
from .names import Names


def curves(results: Results, names: Names) -> list[dict[str, Any]]:
    """The mean curves behind the scores of deletion, insertion and the like."""
    found = []
    table = results.curves
    for key, group in table.groupby([*LABEL, "curve"], observed=True, sort=True):
        dataset, model, method, metric, settings, perturbation, curve = map(str, key)
        if (metric, settings, perturbation) in names.column_at:
            found.append(
                {
                    "dataset": names.dataset_at[dataset],
                    "model": names.model_at[model],
                    "method": names.method_at[method],
                    "column": names.column_at[metric, settings, perturbation],
                    "curve": curve,
                    "fraction": group["fraction"].to_numpy("f4"),
                    "mean": group["mean"].to_numpy("f4"),
                }
            )
    return found


def robustness(results: Results, names: Names) -> list[dict[str, Any]]:
    """How alike maps stay as the radius of a perturbation grows: a line for each model, method and perturbation.

    Perturbations of which the run has one radius alone have none.

    Numbers are over the samples that all models classify correctly, as ``robustness.csv`` has them in its columns
    ``common_…``.
    """
    rows = headline(results.robustness_settings)
    rows = rows[rows["eps"] > 0]
    found = []
    for key, group in rows.groupby(["dataset", "model", "method", "kind"], observed=True, sort=True):
        dataset, model, method, kind = map(str, key)
        line = group.sort_values("eps")
        if len(line) < 2:
            continue
        found.append(
            {
                "dataset": names.dataset_at[dataset],
                "model": names.model_at[model],
                "method": names.method_at[method],
                "kind": kind,
                "score": str(line["metric"].iloc[0]),
                "eps": line["eps"].to_numpy("f4"),
                **{
                    part: np.nan_to_num(line[f"common_{part}"].to_numpy("f4"), nan=-9)
                    for part in ("mean", "low", "high", "chance")
                },
            }
        )
    return found


def agreement(results: Results, names: Names) -> list[list[Any]]:
    """The known rank correlations of metric columns: data set, names of both, mean, lowest and highest of the models.

    Of more columns than can be read, those that differ in settings are taken together, as in the figure on disk.
    """
    shown = ["column_a", "column_b", "correlation", "lowest", "highest"]
    tables = {
        place: readable(results.correlations, results.health, dataset)[0][shown].dropna()
        for dataset, place in names.dataset_at.items()
    }
    return [
        [place, a, b, *(round(float(one), 3) for one in numbers)]
        for place, table in tables.items()
        for a, b, *numbers in table.to_numpy()
    ]
