"""Records are compared with the seal of their cells, which an edit does not fit though it fits the record's digest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import xaiboard.benchmark as xb
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.runs import running
from xaiboard.benchmark.store.consolidate import consolidate
from xaiboard.benchmark.store.damage import DamagedError
from xaiboard.benchmark.store.record import Record, from_table, to_table
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.run_file import RunFile, Seal, read_run, write_run
from xaiboard.benchmark.store.sealed_cells import CHANGED
from xaiboard.benchmark.store.tables import read_cells, read_scores, write_tables
from xaiboard.benchmark.store.verify import verify

Runner = Callable[..., xb.Run]

WORDS: dict[str, Any] = {"methods": "saliency", "metrics": "gini"}
ROUNDING = 1 + 2e-7


@pytest.fixture
def finished(run: Runner) -> Path:
    return run(**WORDS).folder


@pytest.fixture
def path(finished: Path) -> Path:
    """A record of the run."""
    return min((finished / "records").glob("gini-*.parquet"))


def key_of(path: Path) -> str:
    return path.stem.rpartition("-")[0]


def rewrite(path: Path, factor: float) -> Record:
    """Multiplies the scores of a record as somebody would who knows all of its format: it fits its own digests."""
    record, identity, provenance, _ = from_table(pq.read_table(path), 0)
    changed = replace(record, score={"": record.score[""] * np.float32(factor)})
    pq.write_table(to_table(changed, identity, provenance, 0), path)
    return changed


def take_digests_away(path: Path) -> None:
    """As versions before 0.3 wrote records."""
    table = pq.read_table(path)
    kept = {name: text for name, text in table.schema.metadata.items() if b"digest" not in name}
    pq.write_table(table.replace_schema_metadata(kept), path)


def test_an_edit_is_found_though_the_digest_was_computed_anew(
    run: Runner, finished: Path, path: Path, tmp_path: Path
) -> None:
    rewrite(path, 0.5)
    Store(finished).read(key_of(path), 0)  # by itself it is whole
    tables = (finished / "scores.parquet").read_bytes()
    acts: list[Callable[[], object]] = [
        lambda: consolidate(Store(finished)), lambda: run(**WORDS, out=tmp_path / "other", reuse=finished),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(
            DamagedError, match=f"record '{path}' is damaged .it has other scores than those that"
        ):
            act()
    assert verify(finished).problems == [f"record '{path}' is damaged ({CHANGED})"]
    assert (finished / "scores.parquet").read_bytes() == tables
    path.unlink()  # as the sentence advises
    run(**WORDS)
    assert verify(finished)[::2] == ([], 0)


def test_a_record_without_a_digest_is_compared_too(finished: Path, path: Path) -> None:
    take_digests_away(path)
    with pytest.warns(XaiboardWarning, match="files without a digest"):
        consolidate(Store(finished))
    rewrite(path, 0.5)
    take_digests_away(path)
    with pytest.raises(DamagedError, match=r"it has other scores"), pytest.warns(XaiboardWarning):
        consolidate(Store(finished))
    assert f"record '{path}' is damaged ({CHANGED})" in verify(finished).problems


def test_a_cell_that_is_computed_again_may_round_in_another_way(
    run: Runner, finished: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on another machine, after its record was deleted."""
    content = path.read_bytes()
    path.unlink()

    def elsewhere(*given: object, **options: object) -> None:
        path.write_bytes(content)
        rewrite(path, ROUNDING)
        assert verify(finished)[::2] == ([], 1)  # the record is in no table yet, which is no problem

    monkeypatch.setattr(running, "execute", elsewhere)
    run(**WORDS)
    assert verify(finished)[::2] == ([], 0)


def test_a_cell_is_compared_as_it_was_read_when_it_was_sealed(finished: Path) -> None:
    """A later version may declare the columns of a metric in another way."""
    store = Store(finished)
    [plan] = store.plans()
    columns = plan["columns"]["gini"]
    columns[""]["across_models"] = not columns[""]["across_models"]
    store.plan(plan)
    consolidate(store)
    assert verify(finished)[::2] == ([], 0)


@pytest.fixture
def table(finished: Path, tmp_path: Path) -> Path:
    """The tables of the run as another machine computes them, without records."""
    there = tmp_path / "there"
    shutil.copytree(finished, there, ignore=shutil.ignore_patterns("records"))
    scores = read_scores(there)
    write_tables(there, read_cells(there), scores.assign(score=scores["score"] * ROUNDING), scores[:0])
    return there


def test_records_count_more_than_rows_of_a_reused_table(run: Runner, finished: Path, table: Path) -> None:
    """As where a run was killed before its tables, and the next one reuses others."""
    scores = read_scores(finished)["score"]
    for name in ("scores.parquet", "cells.csv"):
        (finished / name).unlink()
    found = read_run(finished)
    assert found is not None
    write_run(finished, RunFile(found.conditions, Seal()))
    with pytest.warns(XaiboardWarning, match=r"columns.json' is damaged"):
        again = run(**WORDS, reuse=table)
    assert again.scores["score"].equals(scores)


def test_records_of_another_run_count_more_than_rows_of_a_table(
    run: Runner, finished: Path, table: Path, tmp_path: Path
) -> None:
    words = {**WORDS, "out": tmp_path / "joined"}
    assert run(**words, reuse=table).scores["score"].equals(read_scores(table)["score"])
    assert run(**words, reuse=finished).scores["score"].equals(read_scores(finished)["score"])
