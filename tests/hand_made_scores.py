"""Scores and cells of a few models and methods, made by hand, for tests of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from xaiboard.benchmark.store import tables

Key = tuple[str, str, str]
Scores = Mapping[Key, Sequence[float] | np.ndarray]

FAMILY = {"a": "ot", "b": "standard", "c": "standard", "d": "adversarial"}
DIRECTION = {
    "gini": "True", "deletion": "False", "deletion.normalised": "False", "deletion.count": "", "accuracy": "True",
    "norm": "", "mine": "True", "neutral": "",
}  # fmt: skip
"""Of columns; ``mine`` is of a metric that declares no range."""

ACROSS = {"gini", "deletion.normalised", "accuracy", "mine", "neutral"}


def make_scores(
    values: Scores,
    *,
    weight: Scores | None = None,
    correct: Mapping[str, Sequence[bool]] | None = None,
    settings: str = "",
) -> pd.DataFrame:
    """Long scores of (model, method, metric column)."""
    parts = []
    for key, score in values.items():
        model, method, metric = key
        n = len(score)
        parts.append(
            pd.DataFrame(
                {
                    "dataset": "d", "sample": range(n), "model": model, "family": FAMILY[model], "method": method,
                    "metric": metric, "settings": settings, "perturbation": "", "score": score,
                    "weight": (weight or {}).get(key, [1.0] * n), "target": 0, "label": 0,
                    "correct": (correct or {}).get(model, [True] * n), "seed": 0, "metric_version": 1,
                    "metric_family": "own", "higher_is_better": DIRECTION[metric],
                    "across_models": metric in ACROSS,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)[tables.SCORES]


def make_cells(
    values: Scores, absent: Mapping[tuple[str, str, str], tuple[str, str]] | None = None, settings: str = ""
) -> pd.DataFrame:
    """Cells of those scores, and of others with their status and note."""
    names = {(model, method, metric.partition(".")[0]): ("ok", "") for model, method, metric in values}
    rows: list[dict[str, Any]] = [
        {
            "key": "-".join(key), "dataset": "d", "model": key[0], "method": key[1], "metric": key[2],
            "settings": settings, "perturbation": "", "family": FAMILY[key[0]], "metric_family": "own",
            "method_settings": "", "model_version": "1", "method_version": "1", "metric_version": "1",
            "perturbation_version": "", "weights": "w", "samples": "s", "reference": "",
            "control": False, "status": status, "note": note, "n": 3 if status == "ok" else np.nan,
            "seconds": 1.5 if status == "ok" else np.nan, "forward": 1, "backward": 0,
        }
        for key, (status, note) in {**names, **(absent or {})}.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)[tables.CELLS]


def row(board: pd.DataFrame, **wanted: str) -> pd.Series:
    same = np.logical_and.reduce([board[name] == value for name, value in wanted.items()])
    assert same.sum() == 1, board
    return board[same].iloc[0]


def noise(seed: int, n: int = 40) -> np.ndarray:
    """Normal numbers, ``(n,)``; their mean is 0 and their standard deviation 1."""
    drawn = np.random.default_rng(seed).normal(size=n)
    return (drawn - drawn.mean()) / drawn.std()
