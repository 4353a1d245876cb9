"""Rows of the tables of scores and curves, from the records of one cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..toolkit.labels import MetricColumn
from .columns import LABEL, SCORES
from .records import Record


def score_rows(row: dict[str, Any], record: Record, columns: Mapping[str, Any], seed: int) -> pd.DataFrame:
    """One row for each sample of each column of a record.

    Args:
        row: the cell's row of ``cells.csv``.
        record: scores of one shard of samples.
        columns: how the columns of each metric read, as the plan says.
        seed: of the run.
    """
    n, names = len(record.sample), list(record.score)
    declared = [columns.get(str(row["metric"]), {}).get(name, {}) for name in names]
    weight = [record.weight.get(name, np.ones(n, np.float32)) for name in names]
    fixed = {name: row[name] for name in LABEL if name != "metric"}
    table = pd.DataFrame(
        {
            "sample": np.tile(record.sample, len(names)),
            "metric": np.repeat([str(MetricColumn(str(row["metric"]), name)) for name in names], n),
            "score": np.concatenate([record.score[name] for name in names]),
            "weight": np.concatenate(weight),
            "target": np.tile(record.target, len(names)),
            "label": np.tile(record.label, len(names)),
            "correct": np.tile(record.correct, len(names)),
            "higher_is_better": np.repeat(
                [_direction(column.get("higher_is_better")) for column in declared], n
            ),
            "across_models": np.repeat([bool(column.get("across_models")) for column in declared], n),
        }
    )
    return table.assign(
        **fixed,
        family=row["family"],
        metric_family=row["metric_family"],
        # without the digest of the code that a function given as an object has: 1.3fa85f64
        metric_version=int(str(row["metric_version"]).partition(".")[0]),
        seed=seed,
    )[SCORES]


def curve_rows(row: dict[str, Any], records: list[Record]) -> Iterable[pd.DataFrame]:
    """The mean curves of a cell over all its samples, one table for each column that is a curve."""
    for name in records[0].curve if records else ():
        mean = np.concatenate([record.curve[name] for record in records]).mean(0, dtype=np.float64)
        fixed = {key: row[key] for key in LABEL}
        yield pd.DataFrame({**fixed, "curve": name, "fraction": np.linspace(0, 1, len(mean)), "mean": mean})


def _direction(higher_is_better: bool | None) -> str:
    return "" if higher_is_better is None else str(higher_is_better)
