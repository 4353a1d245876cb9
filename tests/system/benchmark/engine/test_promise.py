"""How long a run will take is said before it starts and while it runs, and something moves each second."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.engine import calibration, runner
from xaiboard.benchmark.engine.cells_bar import CellsBar
from xaiboard.benchmark.engine.promise import AFTERWARDS, PER_CELL, PER_MAPS, PER_ROW, PER_VALUE, still
from xaiboard.benchmark.engine.speed import Speed, measure
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs import planning
from xaiboard.benchmark.toolkit import progress, user_cache
from xaiboard.benchmark.toolkit.wording import duration

Runner = Callable[..., xb.Run]


class Sleeps(nn.Module):
    """Takes a fixed time for each image forward, and twice as much backward."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.seen = seconds, 0

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        time.sleep(self.seconds * len(x))
        result = x.flatten(1)[:, :4] * 1
        if result.requires_grad:
            result.register_hook(lambda gradient: time.sleep(2 * self.seconds * len(x)))
        return result


def test_a_network_is_timed() -> None:
    found = measure(Sleeps(0.002), torch.rand(8, 1, 8, 8))
    assert 0.002 <= found.forward < 0.02
    assert 0.003 < found.backward < 0.04


def test_a_slow_network_is_timed_on_few_images_and_a_broken_one_not_at_all() -> None:
    slow = Sleeps(0.21)
    measure(slow, torch.rand(64, 1, 8, 8))
    assert slow.seen == 2  # an image forward, and the same forward and backward
    assert measure(nn.Linear(3, 2), torch.rand(4, 1, 8, 8)) == Speed()


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is kept from one command to the next; empty."""
    monkeypatch.setattr(user_cache, "notes_folder", lambda: tmp_path / "notes")
    return tmp_path / "notes"


def test_the_promise_adds_up_passes(
    selection: dict[str, object], monkeypatch: pytest.MonkeyPatch, notes: Path
) -> None:
    """Of twelve images: a pass for the classes, and one each way for each map; cells and tables on top."""
    speeds = iter([Speed(1, 10), Speed(100, 1000)])
    monkeypatch.setattr(calibration, "measure", lambda model, x: next(speeds))
    request = read_request(**{**selection, "metrics": "gini", "methods": "saliency"})  # pyright: ignore[reportArgumentType]
    promised = planning.promise_of(planning.make_plan(request), [], request)
    beside = 2 * 12 * 3 * 64 * PER_VALUE
    assert promised.computing == pytest.approx(12 * (2 + 10 + 200 + 1000) + beside + 2 * PER_CELL)
    assert promised.seconds == pytest.approx(promised.computing + AFTERWARDS + 2 * (PER_ROW + PER_MAPS))
    assert str(promised).startswith(
        "about 4 h: 2 cells of 12 samples, 72 passes, and 3 s for tables and figures"
    )


def test_pictures_are_promised_as_far_as_they_are_not_taken_from_cells(
    selection: dict[str, object], monkeypatch: pytest.MonkeyPatch, notes: Path
) -> None:
    """Of four images, of the first model: f(x) and two maps, and f(x) of the copies."""
    monkeypatch.setattr(calibration, "measure", lambda model, x: Speed(1, 10))
    words = {"metrics": "lens_recall[k=3]", "methods": "saliency", "perturbations": "sign_noise"}
    request = read_request(**{**selection, **words})  # pyright: ignore[reportArgumentType]
    plan = planning.make_plan(request)
    assert planning.promise_of(plan, plan.cells, request).passes == 4 * (2 * (1 + 1) + 1 + 1)
    assert planning.promise_of(plan, [], request).passes == 2 * 12 * (2 * (1 + 1) + 1 + 1)


def test_a_network_is_timed_once_a_week(
    selection: dict[str, object], monkeypatch: pytest.MonkeyPatch, notes: Path
) -> None:
    """Its speed is kept by its weights; a damaged file, or an old one, costs a new timing and nothing else."""
    request = read_request(**{**selection, "metrics": "gini", "methods": "saliency"})  # pyright: ignore[reportArgumentType]
    plan, times = planning.make_plan(request), iter([Speed(n, n) for n in range(1, 9)])
    monkeypatch.setattr(calibration, "measure", lambda model, x: next(times))

    def forward() -> list[int]:
        return [int(speed.forward) for speed in planning.promise_of(plan, [], request).speeds.values()]

    assert forward() == forward() == [1, 2]
    (notes / "speeds.json").write_text('{"version": 1, "notes": [[[')
    assert forward() == [3, 4]
    monkeypatch.setattr(calibration, "WEEK", -1)
    assert forward() == [5, 6]


def test_a_timing_on_a_busy_machine_is_not_kept(
    selection: dict[str, object], monkeypatch: pytest.MonkeyPatch, notes: Path
) -> None:
    """For a week each run would be promised what other programs took."""

    def measured(model: nn.Module, x: Tensor) -> Speed:
        time.sleep(0.1)  # as far as this thread can tell, others have the processor
        return Speed(1, 10)

    monkeypatch.setattr(calibration, "measure", measured)
    request = read_request(**{**selection, "metrics": "gini", "methods": "saliency"})  # pyright: ignore[reportArgumentType]
    planning.promise_of(planning.make_plan(request), [], request)
    assert not (notes / "speeds.json").exists()


def test_the_rest_is_corrected_by_what_was_seen() -> None:
    assert still(100, 0, 0, 20) == 120  # before the first pass the promise stands
    assert still(100, 90, 90, 20) == 30  # all goes as promised
    assert still(100, 90, 190, 20) == 60  # twice as slow: (190 + 10) / (90 + 10)
    assert still(100, 1, 5, 20) == pytest.approx(119 * 15 / 11)  # a slow start says little
    assert still(100, 130, 130, 0) == 0


def test_the_bar_comes_to_its_end(
    run: Runner,
    selection: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is promised is what is counted while cells are computed, model by model."""
    bars: list[CellsBar] = []

    class Kept(CellsBar):
        def close(self) -> None:
            bars.append(self)
            super().close()

    monkeypatch.setattr(runner, "CellsBar", Kept)
    run(
        progress=True,
        metrics="gini,deletion,topk_intersection[k=5],accuracy",
        methods="saliency,smoothgrad,occlusion",
    )
    assert bars[0].total
    # two samples go through the network after each cell, to see whether it is still the same: they are not promised
    assert bars[0].total < bars[0].done < 1.005 * bars[0].total
    said = capsys.readouterr().err
    assert "xaiboard: about " in said
    assert "planning: passes are counted on a small network" in said
    assert " left, " in said
    assert "tables and figures, " in said


def test_nothing_is_said_or_timed_where_nobody_looks(
    run: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calibration, "measure", None)
    run()
    assert capsys.readouterr().err == ""


def test_a_bar_moves_although_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SECOND", 0.02)
    with progress.stage("waiting", shown=True):
        time.sleep(0.3)
    assert capsys.readouterr().err.count("waiting, 00:00") > 3


def test_durations_are_read_at_a_glance() -> None:
    assert [duration(seconds) for seconds in (0.2, 40, 89, 200, 5000, 9000, 90000)] == [
        "1 s", "40 s", "89 s", "3 min", "83 min", "2.5 h", "25 h",
    ]  # fmt: skip


NOTEBOOK = """
import sys, types
kernel = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: kernel)
from xaiboard.benchmark.toolkit.progress import stage
with stage("bar", shown=True):
    pass
"""


def test_a_notebook_without_widgets_gets_a_bar_without_a_warning() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NOTEBOOK], capture_output=True, text=True, check=True
    )
    assert "bar, 00:00" in done.stderr
