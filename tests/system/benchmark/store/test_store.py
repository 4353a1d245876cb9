"""Records are written once, read back as they were, and say what is wrong with them."""

from __future__ import annotations

import errno
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.store import records as module
from xaiboard.benchmark.store.record import identity_digest
from xaiboard.benchmark.store.records import SCHEMA, Record, Store
from xaiboard.benchmark.store.run_file import RunFile, Seal, read_run
from xaiboard.benchmark.toolkit.files import write_file

IDENTITY = {"metric": "gini"}
KEY = f"gini-{identity_digest(IDENTITY)}"
PROVENANCE = {"seconds": 1.5, "forward": 3, "backward": 0}
CONDITIONS = {"seed": 0, "target": "prediction", "dtype": "float32", "samples": 3}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(tmp_path / "run")
    opened.open(CONDITIONS)
    return opened


@pytest.fixture
def record() -> Record:
    return Record(
        np.array([4, 7, 9]),
        np.array([0, 1, 2]),
        np.array([0, 1, 1]),
        np.array([True, True, False]),
        {"": np.array([0.5, 0.25, 1 / 3]), "chance": np.zeros(3)},
        {"": np.array([1.0, 0.0, 1.0])},
        {"curve": np.arange(6.0).reshape(3, 2)},
    )


def files(store: Store) -> list[str]:
    return sorted(path.name for path in store.records.iterdir())


def test_what_is_written_is_read(store: Store, record: Record) -> None:
    assert not store.has(KEY, 0)
    store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    assert store.has(KEY, 0)
    assert not store.has(KEY, 1)
    found, provenance = store.read(KEY, 0)
    assert provenance == PROVENANCE
    for name in ("sample", "target", "label", "correct"):
        np.testing.assert_array_equal(getattr(found, name), getattr(record, name))
        assert getattr(found, name).dtype == getattr(record, name).dtype
    for kind in ("score", "weight", "curve"):
        assert getattr(found, kind).keys() == getattr(record, kind).keys()
        for name, values in getattr(record, kind).items():
            np.testing.assert_array_equal(getattr(found, kind)[name], values.astype(np.float32))
    assert files(store) == [f"{KEY}-0.parquet"]


def test_identity_and_provenance_are_in_the_file(store: Store, record: Record) -> None:
    store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    metadata = pq.read_schema(store.records / f"{KEY}-0.parquet").metadata
    assert json.loads(metadata[b"identity"]) == IDENTITY
    assert json.loads(metadata[b"provenance"]) == PROVENANCE


def test_same_scores_are_accepted_and_other_scores_refused(store: Store, record: Record) -> None:
    store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    path = store.records / f"{KEY}-0.parquet"
    before = path.read_bytes()
    rounded = {name: values + 1e-7 for name, values in record.score.items()}
    store.write(KEY, 0, replace(record, score=rounded), IDENTITY, {**PROVENANCE, "seconds": 9.0})
    assert path.read_bytes() == before
    others = [
        replace(record, score={**record.score, "": record.score[""] + 1e-3}),
        replace(record, score={"": record.score[""]}),
        replace(record, sample=record.sample + 1),
    ]
    for other in others:
        with pytest.raises(
            XaiboardError, match="holds other scores for the same cell; raise the component's version"
        ):
            store.write(KEY, 0, other, IDENTITY, PROVENANCE)
    assert path.read_bytes() == before
    assert files(store) == [f"{KEY}-0.parquet"]


def test_two_writers_at_once_leave_the_first_one_s_file(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process links its file between our look and our link."""
    link, other = os.link, {"done": False}

    def late(source: Path, target: Path) -> None:
        if not other["done"]:
            other["done"] = True
            store.write(KEY, 0, record, IDENTITY, {**PROVENANCE, "seconds": 7.0})
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    assert store.read(KEY, 0)[1]["seconds"] == 7.0
    assert files(store) == [f"{KEY}-0.parquet"]


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "no metadata"])
def test_a_damaged_record_is_named(store: Store, record: Record, damage: str) -> None:
    store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    path = store.records / f"{KEY}-0.parquet"
    content = path.read_bytes()
    if damage == "no metadata":
        pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    else:
        path.write_bytes({"truncated": content[:-20], "empty": b"", "text": b"hello"}[damage])
    with pytest.raises(
        XaiboardError, match=rf"record '.*{KEY}-0.parquet' is damaged .*; delete it and run again"
    ):
        store.read(KEY, 0)


def test_temporary_files_are_invisible_and_swept_when_stale(store: Store, record: Record) -> None:
    store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    left = [store.records / ".gini-2-0.parquet.99.abc.tmp", store.folder / ".cells.csv.99.abc.tmp"]
    for path in left:
        path.write_bytes(b"half")
    assert not store.has("gini-2", 0)
    assert store.plans() == []
    store.open(CONDITIONS)
    assert all(path.exists() for path in left)  # another process may be writing them
    for path in left:
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    store.open(CONDITIONS)
    assert not any(path.exists() for path in left)
    assert files(store) == [f"{KEY}-0.parquet"]


def test_failures_are_noted_until_the_cell_is_computed(store: Store, record: Record) -> None:
    assert store.failure(KEY) is None
    store.fail(KEY, 0, "first", "Traceback")
    store.fail(KEY, 0, "second", "Traceback")
    assert store.failure(KEY) == "second"
    assert store.failure(f"{KEY}0") is None
    assert json.loads((store.records / f"{KEY}-0.failed.json").read_text())["traceback"] == "Traceback"
    store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    assert store.failure(KEY) is None


def test_plans_come_oldest_first_and_the_same_again_is_the_newest(store: Store) -> None:
    for number in (1, 2):
        store.plan({"cells": [], "seed": number})
        past = time.time() - 100 + number
        for path in store.records.glob("plan-*"):
            if json.loads(path.read_text())["seed"] == number:
                os.utime(path, (past, past))
    assert [plan["seed"] for plan in store.plans()] == [1, 2]
    store.plan({"cells": [], "seed": 1})
    assert [plan["seed"] for plan in store.plans()] == [2, 1]


def test_the_folder_remembers_its_conditions(store: Store) -> None:
    assert read_run(store.folder) == RunFile({"schema": SCHEMA, **CONDITIONS}, Seal())
    Store(store.folder).open(CONDITIONS)
    with pytest.raises(
        XaiboardError, match="holds a run with seed 0, this one has 1; give another folder with --out"
    ):
        store.open({**CONDITIONS, "seed": 1})
    assert json.loads((store.folder / "run.json").read_text())["seed"] == 0


def test_another_schema_version_is_refused(store: Store) -> None:
    (store.folder / "run.json").write_text(json.dumps({"schema": SCHEMA + 1}))
    for act in (store.check_schema, lambda: store.open(CONDITIONS)):
        with pytest.raises(
            XaiboardError, match=f"has schema version {SCHEMA + 1}, this xaiboard reads and writes"
        ):
            act()


def test_a_damaged_run_file_is_named(store: Store) -> None:
    for text in ("{", "[1]", "7"):
        (store.folder / "run.json").write_text(text)
        with pytest.raises(XaiboardError, match=r"run.json' is damaged"):
            store.open(CONDITIONS)


def full(*arguments: Any, **named: Any) -> None:  # noqa: ANN401
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["link", "write_table", "fsync"])
def test_a_full_disk_is_said_and_leaves_nothing(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(pq if where == "write_table" else os, where, full)
    message = (
        r"cannot write to '.*run': No space left on device; free space or give another folder with --out"
    )
    with pytest.raises(XaiboardError, match=message):
        store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    assert files(store) == []
    assert not store.has(KEY, 0)


def test_a_full_disk_leaves_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old")

    def half(temporary: Path) -> None:
        temporary.write_text("ha")
        full()

    with pytest.raises(XaiboardError, match="No space left"):
        write_file(path, half)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    for folder in (tmp_path / "run", tmp_path / "run" / "below"):
        with pytest.raises(XaiboardError, match="cannot write to"):
            Store(folder).open(CONDITIONS)
    assert (tmp_path / "run").read_text() == "a file"


def test_a_file_appears_as_a_whole(store: Store, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies while writing, here by an exception that nothing handles, leaves no record."""

    class Killed(BaseException):
        pass

    def dies(table: object, path: Path) -> None:
        path.write_bytes(b"PAR1 half")
        assert not store.has(KEY, 0)
        raise Killed

    monkeypatch.setattr(module.pq, "write_table", dies)
    with pytest.raises(Killed):
        store.write(KEY, 0, record, IDENTITY, PROVENANCE)
    assert not store.has(KEY, 0)
