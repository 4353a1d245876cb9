"""Scores of built-in metrics lie in the range that these declare, whatever digests and seals say of a file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from ..toolkit.labels import MetricColumn, read_metric_column
from ..toolkit.score_ranges import range_words, widened
from .builtin_ranges import builtin_range
from .score_runs import Run

ROOM = 1e-3
"""How far a score may lie beyond a bound, relative to it or to 1: more than sums over an image's pixels are rounded."""

ROWS = 2**20
"""Scores that are compared at once, which bounds the memory."""


def beyond_in_record(score: Mapping[str, np.ndarray], sample: np.ndarray, metric: object) -> str:
    """Says which score of a record lies beyond its range; nothing where none does.

    Args:
        score: ``(n,)`` by the column's name.
        sample: ids of the samples, ``(n,)``.
        metric: as the identity of the record has it.
    """
    if not isinstance(metric, Mapping):
        return ""
    for name, values in score.items():
        column, version = MetricColumn(str(metric.get("name")), name), str(metric.get("version"))
        low, high = widened(builtin_range(column, version), ROOM)
        for place in np.flatnonzero((values < low) | (values > high)):
            return beyond_words(str(column), version, sample[place], values[place])
    return ""


def rows_beyond(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``scores.parquet`` whose scores lie beyond the range that a built-in metric of that name declares."""
    metrics = scores["metric"].astype("category").cat
    columns = [read_metric_column(text) for text in metrics.categories]
    version, numbers = pd.factorize(scores["metric_version"])
    bounds = np.array(
        [[widened(builtin_range(column, str(number)), ROOM) for column in columns] for number in numbers],
        np.float32,
    ).reshape(len(numbers), len(columns), 2)
    values, code, beyond = scores["score"].to_numpy(), metrics.codes.to_numpy(), []
    for start in range(0, len(scores), ROWS):
        part = slice(start, start + ROWS)
        low, high = bounds[version[part], code[part]].T
        beyond.append(start + np.flatnonzero((values[part] < low) | (values[part] > high)))
    return scores.iloc[np.concatenate(beyond) if beyond else []]


def run_beyond(run: Run) -> int | None:
    """The place in a run of the first score beyond that range; None where there is none."""
    column, version = str(run.names["metric"]), str(run.names.get("metric_version"))
    low, high = _bounds(column, version)
    found = np.flatnonzero((run.values["score"] < low) | (run.values["score"] > high))
    return int(found[0]) if len(found) else None


@lru_cache(maxsize=1024)
def _bounds(column: str, version: str) -> tuple[np.float32, np.float32]:
    low, high = widened(builtin_range(read_metric_column(column), version), ROOM)
    return np.float32(low), np.float32(high)


def own_metrics(cells: pd.DataFrame) -> set[str]:
    """Names of metrics in ``cells.csv`` that are functions of somebody's own: the built-in of that name is another."""
    version = cells["metric_version"].astype(str)
    return set(cells.loc[version.str.contains(".", regex=False), "metric"])


def beyond_words(column: str, version: object, sample: object, score: Any) -> str:  # noqa: ANN401 - a number
    """Says of a score that it lies beyond its range."""
    bounds = range_words(builtin_range(read_metric_column(column), str(version)))
    return f"the score {score:.6g} of sample {sample} in column '{column}' is not {bounds}, as it must be"
