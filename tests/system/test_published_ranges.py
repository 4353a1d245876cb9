"""Every published score lies in the range that its metric declares."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xaiboard.benchmark as xb
from helpers import RESULTS
from xaiboard.benchmark.toolkit.labels import read_metric_column
from xaiboard.benchmark.toolkit.score_ranges import ScoreRange, in_range

FOLDERS = sorted(path.parent for path in RESULTS.glob("*/scores.parquet"))


def extremes(folder: Path) -> dict[str, ScoreRange]:
    """Smallest and largest score by metric column."""
    scores = pq.read_table(folder / "scores.parquet", columns=["metric", "score"])
    words = scores.set_column(0, "metric", scores["metric"].cast(pa.string()))
    found = words.group_by("metric").aggregate([("score", "min"), ("score", "max")]).to_pylist()
    return {row["metric"]: (row["score_min"], row["score_max"]) for row in found}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_published_scores_lie_in_the_declared_ranges(folder: Path) -> None:
    found = extremes(folder)
    assert found
    beyond = {}
    for text, (smallest, largest) in found.items():
        column = read_metric_column(text)
        bounds = xb.metrics[column.metric].column(column.name).range
        if bounds is None or not (in_range(smallest, bounds) and in_range(largest, bounds)):
            beyond[text] = bounds, smallest, largest
    assert beyond == {}
