"""Folders as people have them: network drives, long names, files of their own, two commands at once."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import filelock
import pytest
import xaiboard.benchmark as xb
from torch import Tensor
from xaiboard.benchmark.errors import XaiboardError, XaiboardWarning
from xaiboard.benchmark.report.publish import publish
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.store import locks
from xaiboard.benchmark.store.consolidate import consolidate
from xaiboard.benchmark.store.locks import computing, is_computing, lock
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.suites import note_suite, read_suites
from xaiboard.benchmark.store.tables import read_cells
from xaiboard.benchmark.store.verify import verify
from xaiboard.benchmark.store.versions import note_versions, read_versions
from xaiboard.benchmark.toolkit.files import file_name, short_name, write_file, write_once

Runner = Callable[..., xb.Run]


def rebuild(folder: Path) -> None:
    consolidate(Store(folder))
    write(folder, Results(folder))


def refuse(number: int) -> Callable[..., Any]:
    def refused(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        raise OSError(number, os.strerror(number))

    return refused


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_folder_without_hard_links(run: Runner, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "link", refuse(number))
    finished = run(metrics="gini")
    assert set(finished.cells["status"]) == {"ok"}
    assert verify(finished.folder)[0] == []
    assert not list((finished.folder / "records").glob(".*.tmp"))


def test_without_hard_links_a_file_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It appears between our look and our try."""
    path = tmp_path / "record"

    def late(source: Path, target: Path) -> None:
        target.write_text("other")
        refuse(errno.EPERM)()

    monkeypatch.setattr(os, "link", late)
    assert not write_once(path, lambda temporary: temporary.write_text("ours"))
    assert path.read_text() == "other"
    monkeypatch.setattr(os, "link", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        write_once(tmp_path / "another", lambda temporary: temporary.write_text("ours"))


def test_a_folder_that_cannot_be_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", refuse(errno.EINVAL))
    write_file(tmp_path / "table", lambda path: path.write_text("whole"))
    assert (tmp_path / "table").read_text() == "whole"
    monkeypatch.setattr(os, "fsync", refuse(errno.EIO))
    with pytest.raises(XaiboardError, match="cannot write to"):
        write_file(tmp_path / "table", lambda path: path.write_text("other"))
    assert (tmp_path / "table").read_text() == "whole"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_folder_without_locks(run: Runner, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse(number))
    if number == errno.ENOSYS:  # for which filelock has an answer of its own, of which there are several
        monkeypatch.setattr(filelock.UnixFileLock, "_acquire", _not_implemented)
    with pytest.warns(XaiboardWarning, match="has no locks: run one command at a time in this folder"):
        finished = run(metrics="gini")
    assert set(finished.cells["status"]) == {"ok"}


def _not_implemented(lock: object) -> None:
    raise NotImplementedError("FileSystem does not appear to support flock; use SoftFileLock instead")


def test_who_only_reads_needs_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "records").mkdir()
    monkeypatch.setattr(fcntl, "flock", refuse(errno.EROFS))
    with lock(tmp_path, reading=True):
        pass
    with pytest.raises(XaiboardError, match=r"cannot write to .*Read-only"), lock(tmp_path):
        pass


def test_who_only_reads_waits_for_who_writes_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "records").mkdir()
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with lock(tmp_path):
        start = time.monotonic()
        with lock(tmp_path, reading=True):
            waited = time.monotonic() - start
    assert 0.1 <= waited < 10


def test_a_run_is_known_while_it_goes_on(run: Runner, tmp_path: Path) -> None:
    seen = []

    @xb.method(name="looking")
    def _looking(x: Tensor) -> Tensor:
        seen.append(is_computing(tmp_path / "run"))
        return x

    finished = run(methods="looking", metrics="gini")
    assert seen[-1]  # the plan's probe comes first
    assert not is_computing(finished.folder)
    with pytest.raises(KeyboardInterrupt), computing(finished.folder):
        raise KeyboardInterrupt
    assert not is_computing(finished.folder)


def test_a_run_that_was_killed_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    left = tmp_path / "records" / ".run-99999"
    left.touch()
    assert not is_computing(tmp_path)
    assert not left.exists()


def test_names_of_any_length(run: Runner) -> None:
    name = "long" * 29  # names of components have at most 120 bytes

    @xb.metric(name=name, family="complexity", higher_is_better=True)
    def _long(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).sum(1)

    @xb.metric(name=f"{name}er", family="complexity", higher_is_better=True)
    def _longer(attribution: Tensor) -> Tensor:
        return attribution.flatten(1).sum(1)

    finished = run(metrics=f"{name},{name}er", methods="saliency")
    assert set(finished.cells["status"]) == {"ok"}
    assert set(finished.scores["metric"]) == {name, f"{name}er"}
    assert verify(finished.folder)[0] == []


def test_what_two_runs_note_at_once_is_all_noted(tmp_path: Path) -> None:
    class Waits(Store):
        """Gets the lock after another process noted something."""

        def lock(self, *, reading: bool = False) -> AbstractContextManager[None]:
            note_suite(Store(self.folder), "quick")
            note_versions(Store(self.folder), {"xaiboard": "1", "torch": "2"})
            return super().lock(reading=reading)

    Store(tmp_path).open({"seed": 0})
    note_suite(Waits(tmp_path), "standard")
    note_versions(Waits(tmp_path), {"xaiboard": "1", "torch": "3"})
    assert read_suites(tmp_path) == ["quick", "standard"]
    assert read_versions(tmp_path) == ["xaiboard 1, torch 2", "xaiboard 1, torch 3"]


def test_records_of_keys_of_any_length(tmp_path: Path) -> None:
    """Earlier versions let components have longer names than files can."""
    store = Store(tmp_path)
    store.open({"seed": 0})
    long = [f"{'long' * 100}{end}-0123456789abcdef" for end in "xy"]
    store.fail(long[0], 0, "no luck", "")
    assert [store.failure(key) for key in long] == ["no luck", None]


def test_short_names_stay_and_long_ones_differ() -> None:
    assert short_name("digits") == "digits"
    assert file_name("image-folder:a/b") == "image-folder-a-b"
    long = ["ä" * 200 + end for end in "xy"]
    short = {short_name(name) for name in long}
    assert len(short) == 2
    assert max(len(name.encode()) for name in short) <= 180


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a" * 300, "can be no folder of a run: File name too long"),
        ("a\0b", "must have a name that can be shown"),
    ],
)
def test_names_that_no_folder_can_have(run: Runner, tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(XaiboardError, match=said):
        run(out=tmp_path / name)
    with pytest.raises(XaiboardError, match=said):
        run(reuse=tmp_path / name)
    with pytest.raises(XaiboardError, match="can be no folder"):
        verify(tmp_path / name)
    with pytest.raises(XaiboardError, match="can be no folder"):
        publish(tmp_path, tmp_path / name)


@pytest.mark.parametrize(
    "name", ["cells.csv", "scores.parquet", "leaderboard.csv", "leaderboard.md", "models.csv"]
)
def test_files_of_someone_else_are_not_replaced(run: Runner, tmp_path: Path, name: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("mine")
    (tmp_path / "run" / "notes.txt").write_text("do not matter")
    with pytest.raises(XaiboardError, match=f"has a file '{name}' and no 'run.json'.*; give another folder"):
        run()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted([name, "notes.txt"])
    (tmp_path / "run" / name).unlink()
    run(metrics="gini")


@pytest.mark.parametrize("name", ["run.json", "cells.csv", "leaderboard.csv"])
def test_a_folder_in_the_place_of_a_file(run: Runner, name: str) -> None:
    words = {"methods": "saliency", "metrics": "gini"}
    folder = run(**words).folder
    (folder / name).unlink()
    (folder / name).mkdir()
    assert any(
        f"{name}' is damaged (it is no regular file)" in problem for problem in verify(folder).problems
    )
    acts: list[Callable[[], object]] = [lambda: run(**words), lambda: rebuild(folder)]
    for act in acts:
        with (
            pytest.raises(XaiboardError, match=f"{name}' is a folder, expected a file; move it away"),
            warnings.catch_warnings(action="ignore"),
        ):
            act()
    if name != "leaderboard.csv":  # which nothing follows from
        shutil.rmtree(folder / "records")
        with pytest.raises(XaiboardError, match=f"{name}' is damaged .it is no regular file"):
            read_cells(folder)
    (folder / name).rmdir()


def test_records_that_nobody_may_look_at(run: Runner) -> None:
    """Here because their folder leads to itself; its permissions would do the same."""
    folder = run(methods="saliency", metrics="gini").folder
    shutil.rmtree(folder / "records")
    (folder / "records").symlink_to("records")
    with pytest.raises(XaiboardError, match="can be no folder of a run: Too many levels"):
        verify(folder)


def test_a_run_without_its_run_file_is_still_a_run(run: Runner) -> None:
    finished = run(metrics="gini")
    before = json.loads((finished.folder / "run.json").read_text("utf-8"))
    (finished.folder / "run.json").unlink()
    with pytest.warns(XaiboardWarning, match=r"run.json' is missing: it is made anew from the records"):
        run(metrics="gini")
    after = json.loads((finished.folder / "run.json").read_text("utf-8"))
    # nothing shows that the maps, which records do not have, are as they were written
    assert after["seal"].pop("unverified") == ["images.parquet", "maps.parquet"]
    del after["digest"], before["digest"]
    assert after == before
    (finished.folder / "run.json").write_text("{")
    with (
        pytest.warns(XaiboardWarning, match=r"run.json' is damaged"),
        pytest.raises(XaiboardError, match="holds a run with seed 0, this one has 1"),
    ):
        run(seed=1)


def test_a_damaged_record_is_not_taken_over(run: Runner, tmp_path: Path) -> None:
    before = run(metrics="gini", out=tmp_path / "before").folder
    path = next((before / "records").glob("gini-*.parquet"))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(XaiboardError, match=f"record '{path}' is damaged"):
        run(metrics="gini", reuse=before)
    assert Store(tmp_path / "run").files_of(path.stem.rpartition("-")[0]) == []
    shutil.rmtree(before / "records")
    run(metrics="gini", reuse=before)
