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
from xaiboard.benchmark.store import Store

KILLS = 20

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def slow(attribution: Tensor) -> Tensor:
    """Takes its time, but not in the plan's probe on one sample: so that kills fall into the computation."""
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
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def whole_records(out: Path) -> dict[str, bytes]:
    """Contents of the finished records, each of which must be readable."""
    store = Store(out)
    paths = sorted((out / "records").glob("*.parquet"))
    for path in paths:
        key, _, shard = path.stem.rpartition("-")
        assert len(store.read(key, int(shard))[0].sample) == 12
    return {path.name: path.read_bytes() for path in paths}


def tables(out: Path) -> dict[str, pd.DataFrame]:
    """Every table without what only says how it was computed."""
    names = ("cells", "leaderboard", "leaderboard_wide", "families", "models", "curves")
    return {name: pd.read_csv(out / f"{name}.csv").drop(columns="seconds", errors="ignore") for name in names}


def assert_same_results(one: Path, other: Path) -> None:
    assert (one / "scores.parquet").read_bytes() == (other / "scores.parquet").read_bytes()
    for name, table in tables(one).items():
        pd.testing.assert_frame_equal(table, tables(other)[name], obj=name)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The folder of a run that nothing disturbed, and the seconds until its last record."""
    xb.load_data("digits")  # once, before the processes that are killed
    out, begin = tmp_path_factory.mktemp("uninterrupted"), time.time()
    assert wait(start(lambda: run(out))) == 0
    return out, max(path.stat().st_mtime for path in (out / "records").iterdir()) - begin


def test_twenty_kills_lose_nothing_but_the_cell_in_progress(
    uninterrupted: tuple[Path, float], tmp_path: Path
) -> None:
    folder, seconds = uninterrupted
    moments, progress = random.Random(), set()
    before: dict[str, bytes] = {}
    for _ in range(KILLS):
        child = start(lambda: run(tmp_path))
        time.sleep(moments.uniform(0, 0.8 * seconds))
        os.kill(child, signal.SIGKILL)
        assert wait(child) in (0, -signal.SIGKILL)
        after = whole_records(tmp_path) if (tmp_path / "records").is_dir() else {}
        assert {name: after.get(name) for name in before} == before  # finished records stay as they were
        before = after
        progress.add(len(after))
    assert len(progress) > 2, "the kills did not fall into the computation"
    assert wait(start(lambda: run(tmp_path))) == 0
    assert {name: content for name, content in whole_records(tmp_path).items() if name in before} == before
    assert_same_results(tmp_path, folder)


def test_two_processes_in_one_folder_do_no_damage(uninterrupted: tuple[Path, float], tmp_path: Path) -> None:
    children = [start(lambda: run(tmp_path)) for _ in range(2)]
    assert [wait(child) for child in children] == [0, 0]
    assert_same_results(tmp_path, uninterrupted[0])
