"""Killed at a random moment again and again, and two processes at once: nothing but the cell in progress is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.report import write
from xaiboard.benchmark.store.records import Store

KILLS = 12

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def slow(attribution: Tensor) -> Tensor:
    """Takes its time, but not in the plan's probe on one sample: kills fall into its computation too."""
    time.sleep(0.2 if len(attribution) > 1 else 0)
    return attribution.flatten(1).sum(1)


def slower(attribution: Tensor) -> Tensor:
    return slow(attribution)


def run(out: Path) -> xb.Run:
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return xb.run(
        models={"small": model},
        methods="saliency,integrated_gradients,smoothgrad,random,sobel",
        metrics=["gini", slow, "max_sensitivity,lens_recall", slower, "deletion[orders=4],accuracy"],
        samples=12,
        out=out,
        progress=False,
    )


def start(work: Callable[[], object]) -> int:
    """Runs ``work`` in a child process; its exit status is 0 if nothing was raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            torch.set_num_threads(1)
            write._draw = lambda *given: []  # figures take a third of the time of what is run
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def records(out: Path) -> list[Path]:
    return sorted((out / "records").glob("*.parquet"))


def whole_records(out: Path) -> dict[str, bytes]:
    """Contents of the finished records, each of which must be readable."""
    store = Store(out)
    for path in records(out):
        key, _, shard = path.stem.rpartition("-")
        assert len(store.read(key, int(shard))[0].sample) == 12
    return {path.name: path.read_bytes() for path in records(out)}


def tables(out: Path) -> dict[str, pd.DataFrame]:
    """Every table without what only says how it was computed."""
    names = ("cells", "leaderboard", "leaderboard_wide", "families", "models", "curves")
    return {name: pd.read_csv(out / f"{name}.csv").drop(columns="seconds", errors="ignore") for name in names}


def assert_same_results(one: Path, other: Path) -> None:
    assert (one / "scores.parquet").read_bytes() == (other / "scores.parquet").read_bytes()
    for name, table in tables(one).items():
        pd.testing.assert_frame_equal(table, tables(other)[name], obj=name)


def kill(child: int, out: Path, count: int, delay: float) -> int:
    """Kills the child ``delay`` seconds after the folder holds ``count`` records; its exit status.

    It may end by itself before. Waiting for records rather than for a time makes the kills fall into the
    computation on a machine of any speed.
    """
    while len(records(out)) < count:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    return wait(child)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    xb.load_data("digits")  # once, before the processes that are killed
    out = tmp_path_factory.mktemp("uninterrupted")
    assert wait(start(lambda: run(out))) == 0
    return out


def test_kills_lose_nothing_but_the_cell_in_progress(uninterrupted: Path, tmp_path: Path) -> None:
    moments, progress = random.Random(), set()
    before: dict[str, bytes] = {}
    for number in range(KILLS):
        child = start(lambda: run(tmp_path))
        status = kill(child, tmp_path, len(before) + number % 3, moments.uniform(0, 0.1))
        assert status in (0, -signal.SIGKILL)
        after = whole_records(tmp_path)
        assert {name: after.get(name) for name in before} == before  # finished records stay as they were
        before = after
        progress.add(len(after))
    assert len(progress) > 2, "the kills did not fall into the computation"
    assert wait(start(lambda: run(tmp_path))) == 0
    assert {name: content for name, content in whole_records(tmp_path).items() if name in before} == before
    assert_same_results(tmp_path, uninterrupted)


def test_two_processes_in_one_folder_do_no_damage(uninterrupted: Path, tmp_path: Path) -> None:
    children = [start(lambda: run(tmp_path)) for _ in range(2)]
    assert [wait(child) for child in children] == [0, 0]
    assert_same_results(tmp_path, uninterrupted)
