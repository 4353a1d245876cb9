"""Blocks of a file of scores are those of a plain table, however the rows stand in it and wherever it is cut."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.report.blocks import Blocks
from xaiboard.benchmark.report.order import PLACE
from xaiboard.benchmark.store import score_runs, unpacked
from xaiboard.benchmark.store.columns import LABEL, SCORES, WORDS
from xaiboard.benchmark.store.score_runs import VALUES, runs_of_file
from xaiboard.benchmark.store.unpacked import Unpacked

BY_COLUMN = ["dataset", *PLACE, "method", "sample"]


def board() -> pd.DataFrame:
    """Two data sets, three models, three methods, two columns under a perturbation or none; every fifth row lacks."""
    names = {
        "dataset": ["d", "e"], "model": ["a", "b", "c"], "method": ["", "one", "two"], "metric": ["gini", "mine.part"],
        "settings": [""], "perturbation": ["", "noise"], "sample": [3, 1, 4, 11, 5],
    }  # fmt: skip
    table = pd.MultiIndex.from_product(list(names.values()), names=list(names)).to_frame(index=False)
    rng = np.random.default_rng(0)
    table = table.assign(
        family=table["model"].map({"a": "ot", "b": "standard", "c": "standard"}),
        metric_family=table["metric"].map({"gini": "complexity", "mine.part": "own"}),
        higher_is_better=table["metric"].map({"gini": "True", "mine.part": ""}),
        across_models=table["metric"] == "gini",
        score=rng.normal(size=len(table)).astype(np.float32),
        weight=np.where(table["perturbation"] == "", 1, rng.integers(0, 3, len(table))).astype(np.float32),
        target=rng.integers(0, 9, len(table)),
        label=table["sample"] % 3,
        correct=rng.random(len(table)) < 0.5,
        seed=0,
        metric_version=1,
    )
    return table[rng.random(len(table)) < 0.8][SCORES]


@pytest.mark.parametrize("order", ["by column", "by label", "shuffled"])
@pytest.mark.parametrize(("batch", "memory"), [(2**18, 2**27), (7, 64)])
def test_blocks_of_a_file_are_those_of_a_plain_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, batch: int, memory: int
) -> None:
    """Also where row groups and batches cut blocks, and where the scores do not fit into memory."""
    monkeypatch.setattr(score_runs, "ROWS", batch)
    monkeypatch.setattr(unpacked, "IN_MEMORY", memory)
    table = board()
    rows = {
        "by column": table.sort_values(BY_COLUMN),
        "by label": table.sort_values(LABEL, kind="stable"),
        "shuffled": table.sample(frac=1, random_state=0),
    }[order]
    coded = rows.astype(dict.fromkeys(WORDS, "category"))
    pq.write_table(pa.Table.from_pandas(coded, preserve_index=False), tmp_path / "scores", row_group_size=10)
    blocks = Blocks(Unpacked(runs_of_file(tmp_path / "scores")))
    wanted = list(table.sort_values([*LABEL, "sample"]).groupby(LABEL, sort=True))
    assert [tuple(row) for row in blocks.rows[LABEL].to_numpy()] == [key for key, _ in wanted]
    for place, (_, own) in enumerate(wanted):
        assert blocks.facts(place) == own.iloc[0][list(blocks.words)].astype(str).to_dict()
        for name in VALUES:
            found = blocks.of(name, place)
            assert found.dtype == own[name].dtype
            np.testing.assert_array_equal(found, own[name])
    if order == "shuffled":
        return
    first = rows.drop_duplicates(LABEL)[LABEL].to_numpy()
    assert [tuple(row) for row in blocks.rows[LABEL].loc[blocks.as_written].to_numpy()] == list(
        map(tuple, first)
    )


def test_blocks_on_the_same_samples_share_them() -> None:
    """A board has as many copies of its samples as rows; memory has one."""
    table = board().query("dataset == 'd' and sample < 4")
    whole = table.groupby(LABEL)["sample"].transform("size") == 2
    blocks = Blocks(table[whole])
    assert len(blocks.rows) > 2
    assert len({id(blocks.of("sample", place)) for place in blocks.rows.index}) == 1
    assert blocks.samples(blocks.rows.index.to_numpy()).tolist() == [1, 3]


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unpacked, "SpooledTemporaryFile", lambda **_: Full())
    with pytest.raises(
        XaiboardError, match=r"No space left on device; free space there, or name another .* TMPDIR"
    ):
        Blocks(board())
