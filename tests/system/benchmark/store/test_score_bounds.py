"""A score that its metric cannot give is found, although every digest and seal fits, or none is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.store.damage import DamagedError
from xaiboard.benchmark.store.record import from_table, to_table
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.score_bounds import ROOM, beyond_in_record, rows_beyond
from xaiboard.benchmark.store.tables import read_cells, read_scores, unpack_scores, write_tables
from xaiboard.benchmark.store.verify import verify

Runner = Callable[..., xb.Run]


def test_a_record_with_a_score_beyond_its_range_is_refused(run: Runner) -> None:
    folder = run(methods="saliency", metrics="gini").folder
    path = next((folder / "records").glob("gini-*.parquet"))
    record, identity, provenance, _ = from_table(pq.read_table(path), 0)
    score = record.score[""].copy()
    score[3] = 1.43
    pq.write_table(to_table(replace(record, score={"": score}), identity, provenance, 0), path)
    key = path.stem.rpartition("-")[0]
    with pytest.raises(
        DamagedError, match=r"the score 1\.43 of sample 3 in column 'gini' is not 0 to 1, as it must be"
    ):
        Store(folder).read(key, 0)
    assert any("1.43" in problem for problem in verify(folder).problems)


def test_a_table_with_scores_beyond_their_range_is_refused(run: Runner) -> None:
    folder = run(methods="saliency", metrics="deletion[steps=4,orders=2],gini").folder
    shutil.rmtree(folder / "records")
    scores, cells = read_scores(folder), read_cells(folder)
    of_column = scores["metric"].eq("deletion.retention") & scores["model"].eq("mlp")
    write_tables(folder, cells, scores.assign(score=scores["score"].where(~of_column, 1.5)), pd.DataFrame())
    for read in (read_scores, unpack_scores):
        with pytest.raises(
            DamagedError,
            match=r"1\.5 of sample 0 in column 'deletion\.retention' is not 0 to 1, .* 'saliency' on 'mlp'",
        ):
            read(folder)
    [key] = cells.loc[cells["metric"].eq("deletion") & cells["model"].eq("mlp"), "key"]
    assert verify(folder).problems == [
        f"cell {key}: the score 1.5 of sample 0 in column 'deletion.retention' is not 0 to 1, as it must be, and"
        f" neither are {of_column.sum() - 1} others"
    ]
    # a function of somebody's own, which an earlier version took by that name
    write_tables(folder, cells.assign(metric_version="2.3fa85f64"), scores.assign(score=7.0), pd.DataFrame())
    assert set(read_scores(folder)["score"]) == {7.0}
    assert set(unpack_scores(folder).of("score", 0)) == {7.0}


@pytest.mark.parametrize(
    ("score", "version", "beyond"),
    [
        (1 + ROOM / 2, 1, False),
        (-ROOM / 2, 1, False),
        (1 + 2 * ROOM, 1, True),
        (-2 * ROOM, 1, True),
        (9, 2, False),
    ],
)
def test_rounding_and_other_versions_are_allowed(score: float, version: int, beyond: bool) -> None:
    values = np.array([0.5, score], np.float32)
    table = pd.DataFrame({"metric": "gini", "score": values, "metric_version": [1, version]})
    assert list(rows_beyond(table).index) == [1] * beyond
    said = beyond_in_record({"": values}, np.array([4, 7]), {"name": "gini", "version": str(version)})
    assert ("of sample 7" in said) is beyond
