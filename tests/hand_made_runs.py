"""Folders of runs with scores made by hand: several trained networks, columns with settings, perturbations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from xaiboard.benchmark.store import tables
from xaiboard.benchmark.store.columns import CURVES
from xaiboard.benchmark.toolkit.labels import read_label, read_metric_column


class Column(NamedTuple):
    """Names the scores of a network: a metric column as in ``gini`` or ``deletion[baseline=mean]``."""

    network: str
    column: str
    method: str = ""
    perturbation: str = ""
    dataset: str = "digits"


def make_run(
    folder: Path,
    scores: Mapping[Column, Sequence[float] | np.ndarray],
    *,
    correct: Mapping[str, np.ndarray] | None = None,
    held: Mapping[Column, np.ndarray] | None = None,
    samples: Sequence[int] | None = None,
    weights: Mapping[str, str] | None = None,
    version: int = 1,
) -> Path:
    """Writes the tables of a run.

    Args:
        folder: where.
        scores: of each column, one an image.
        correct: whether each network is right, all if missing.
        held: whether the perturbation leaves the prediction as it is.
        samples: numbers of the images, from 0 if missing.
        weights: digests of the networks.
        version: of the metrics.
    """
    parts, cells = [], {}
    for column, values in scores.items():
        label = read_label(column.column)
        settings = column.column.partition("[")[2].removesuffix("]")
        n = len(values)
        numbers = list(range(n)) if samples is None else list(samples)
        parts.append(pd.DataFrame({
            "dataset": column.dataset, "sample": numbers, "model": column.network, "family": "f",
            "method": column.method, "metric": label.name, "settings": settings, "perturbation": column.perturbation,
            "score": values, "weight": np.array((held or {}).get(column, np.ones(n)), dtype=float), "target": 0,
            "label": 0, "correct": (correct or {}).get(column.network, np.ones(n, dtype=bool)), "seed": 0,
            "metric_version": version, "metric_family": "own", "higher_is_better": "True", "across_models": True,
        }))  # fmt: skip
        metric = read_metric_column(label.name).metric
        cells[column.dataset, column.network, column.method, metric, settings, column.perturbation] = n
    folder.mkdir(parents=True, exist_ok=True)
    frame = pd.concat(parts, ignore_index=True)
    rows = [
        _cell(names, n, (weights or {}).get(names[1], f"{names[0]} {names[1]}"), version)
        for names, n in cells.items()
    ]
    tables.write_tables(folder, pd.DataFrame(rows), frame, pd.DataFrame(columns=CURVES))
    return folder


def _cell(names: tuple[str, ...], n: int, weights: str, version: int) -> dict[str, Any]:
    dataset, network, method, metric, settings, perturbation = names
    return {
        "key": "-".join(names), "dataset": dataset, "model": network, "method": method, "metric": metric,
        "settings": settings, "perturbation": perturbation, "family": "f", "metric_family": "own",
        "method_settings": method.partition("[")[2].removesuffix("]"), "model_version": "1", "method_version": "1",
        "metric_version": str(version), "perturbation_version": "1" if perturbation else "", "weights": weights,
        "samples": f"{dataset} {n}", "reference": "", "control": False, "status": "ok", "note": "", "n": n,
        "seconds": 1.0, "forward": 1, "backward": 0,
    }  # fmt: skip


def recipe(name: str, networks: int) -> list[str]:
    """Names of the networks of a recipe."""
    return [name, *(f"{name}.seed{seed}" for seed in range(1, networks))]
