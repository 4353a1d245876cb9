"""Engines: whoever computes the cells, and whoever dies meanwhile, the records say the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from helpers import Runner
from torch import nn
from xaiboard.benchmark.engine import units
from xaiboard.benchmark.engine.cell import Cell
from xaiboard.benchmark.engine.plan import Plan
from xaiboard.benchmark.engine.runner import compute
from xaiboard.benchmark.engine.speed import Speed
from xaiboard.benchmark.engine.units import Splitter
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.executors.choice import in_this_process, read_engine
from xaiboard.benchmark.executors.jobs import Job, LostError
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs import driver, worker
from xaiboard.benchmark.runs.planning import make_plan
from xaiboard.benchmark.store.record import content_digest
from xaiboard.benchmark.store.records import Store

TWO = "local[workers=2]"

PLUGIN = """
import os, signal
from pathlib import Path

import torch
from torch import nn
from xaiboard.benchmark import Data, dataset, method, model


@dataset(name="toy")
def toy(split):
    generator = torch.Generator().manual_seed(len(split))
    return Data(torch.rand(8, 1, 6, 6, generator=generator), torch.arange(8) % 3, list("abc"))


@model(family="own", dataset="toy")
def small(shape, classes):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, classes))


@method(source="here")
def deadly(model, x, target):
    marker = Path(__file__).with_suffix(".died")
    elsewhere = os.environ.get("XAIBOARD_DEADLY", str(os.getpid())) != str(os.getpid())
    if elsewhere and len(x) == 8 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x - 0.5
"""


def contents(folder: Path) -> dict[tuple[str, int], str]:
    """What each record says: scores and identity."""
    store, found = Store(folder), {}
    for plan in store.plans():
        for key in {row["key"] for row in plan["cells"]}:
            for shard in range(plan["shards"]):
                if store.has(key, shard):
                    record, identity, _, _ = store.read_whole(key, shard)
                    found[key, shard] = content_digest(record, identity, shard)
    return found


@dataclass
class Called:
    """A job that is done when it is asked for, in this process."""

    call: Callable[[], Any]

    def done(self) -> bool:
        return True

    def result(self) -> object:
        return self.call()


class Here:
    """An engine in this process, whose first workers die as they compute a cell of a metric."""

    slots, room, threads = 2, 1, torch.get_num_threads()

    def __init__(self, deaths: int = 0, at: str = "") -> None:
        self.deaths, self.at, self.submitted = deaths, at, 0

    def submit(self, function: Callable[[Any], Any], arguments: Sequence[Any]) -> list[Job]:
        assert len(arguments) <= self.room
        self.submitted += len(arguments)
        return [Called(partial(self._call, function, argument)) for argument in arguments]

    def close(self) -> None:
        pass

    def _call(self, function: Callable[[Any], Any], argument: object) -> object:
        with pytest.MonkeyPatch.context() as patch:
            if self.deaths:
                patch.setattr(worker, "compute", self._dying)
            return function(argument)

    def _dying(
        self,
        plan: Plan,
        cells: Sequence[Cell],
        rows: slice,
        store: Store,
        **given: Any,  # noqa: ANN401
    ) -> Iterator[Cell]:
        for cell in compute(plan, cells, rows, store, **given):
            yield cell
            if self.deaths and cell.metric.component.name == self.at and not store.has(cell.key, 0):
                self.deaths -= 1
                raise LostError("was ended by signal 9")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[[Here], Here]:
    def use(engine: Here) -> Here:
        monkeypatch.setattr(driver, "start", lambda choice, folder: engine)
        return engine

    return use


def test_records_do_not_depend_on_who_computes_and_who_dies(
    run: Runner, elsewhere: Callable[[Here], Here], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "PER_UNIT", 0.0)
    words = {"methods": "saliency,smoothgrad,random", "metrics": "gini,entropy,accuracy"}
    alone = run(**words, out=tmp_path / "alone")
    engine = elsewhere(Here(deaths=10, at="entropy"))
    monkeypatch.setattr(driver, "TRIES", 99)
    other = run(**words, engine=TWO, out=tmp_path / "other")
    assert engine.deaths == 0
    assert engine.submitted >= 12
    assert contents(other.folder) == contents(alone.folder) != {}
    assert other.leaderboard.drop(columns="seconds").equals(alone.leaderboard.drop(columns="seconds"))
    assert not list((other.folder / "records" / "journals").iterdir())


def test_a_cell_at_which_every_process_dies_fails_alone(
    run: Runner, elsewhere: Callable[[Here], Here], mlp: nn.Module
) -> None:
    engine = elsewhere(Here(deaths=driver.TRIES, at="entropy"))
    with pytest.warns(XaiboardWarning, match="1 of 3 cells failed"):
        cells = run(
            models={"mlp": mlp}, methods="saliency", metrics="gini,entropy,accuracy", engine=TWO
        ).cells
    assert engine.deaths == 0
    assert dict(zip(cells["metric"], cells["status"], strict=True)) == {
        "gini": "ok", "entropy": "failed", "accuracy": "ok"
    }  # fmt: skip
    assert "died 3 times in a row: the last one was ended by signal 9" in " ".join(cells["note"])


def test_what_another_process_would_not_compute_the_same_is_refused(
    run: Runner, elsewhere: Callable[[Here], Here], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(Here())
    monkeypatch.setattr(worker, "library_versions", lambda: {"xaiboard": "0.1", "torch": "1"})
    monkeypatch.setattr(driver, "versions", lambda: {"xaiboard": "0.2", "torch": "1"})
    with pytest.raises(
        xb.XaiboardError, match=r"has xaiboard 0.1, and the run was started with 0.2; install"
    ):
        run(engine=TWO)


def test_other_files_and_other_cells_are_refused(
    run: Runner, elsewhere: Callable[[Here], Here], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(Here())
    plugin = tmp_path / "mine.py"
    plugin.write_text("")
    digests = driver.file_digests(plugin)
    monkeypatch.setattr(driver, "file_digests", lambda files: dict.fromkeys(digests, "other"))
    with pytest.raises(
        xb.XaiboardError, match=r"mine.py' is another file on '.*' than where the run was started"
    ):
        run(engine=TWO)
    monkeypatch.setattr(driver, "file_digests", lambda files: {})
    own = driver._Driver._task_of
    monkeypatch.setattr(
        driver._Driver, "_task_of", lambda self, part: replace(own(self, part), keys=["gini-0"])
    )
    with pytest.raises(
        xb.XaiboardError, match=r"1 cells of '.*' are not those of the run, such as gini-0: data"
    ):
        run(engine=TWO)


def test_the_longest_units_are_halved_while_that_ends_sooner(
    selection: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xaiboard.benchmark.engine.plan.SHARD_BYTES", 4 * 64 * 3)
    plan = make_plan(read_request(**{**selection, "methods": "saliency,occlusion", "out": tmp_path}))
    todo = [cell for cell in plan.cells if not cell.reason]
    assert len(plan.shards) == 4

    def split(seconds: float, slots: int) -> list[units.Unit]:
        speeds = dict.fromkeys(["mlp", "cnn"], Speed(seconds, seconds))
        return Splitter(plan, speeds).split(todo, slots)

    assert [(unit.model, len(unit.rows)) for unit in split(1e-9, 2)] == [("mlp", 4), ("cnn", 4)]
    for slots in (1, 3, 16):
        found = split(1.0, slots)
        done = [(cell.key, rows.start) for unit in found for cell in unit.cells for rows in unit.rows]
        assert sorted(done) == sorted((cell.key, rows.start) for cell in todo for rows in plan.shards)
        assert [unit.seconds for unit in found] == sorted((unit.seconds for unit in found), reverse=True)
    assert len(split(1.0, 16)) == 16
    by_method = [{cell.method.label for cell in unit.cells if cell.method} for unit in split(1.0, 16)]
    assert all(len(methods) == 1 for methods in by_method)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ray2", "no engine named 'ray2'; there are: local, ray, slurm"),
        ("local[cores=2]", "'local' has no setting 'cores'; it has: workers, threads"),
        ("local[workers=0]", "setting 'workers' of 'local' must be at least 1; got '0'"),
    ],
)
def test_engines_are_named_as_components_are(text: str, said: str) -> None:
    with pytest.raises(xb.XaiboardError) as error:
        read_engine(text)
    assert str(error.value) == said
    assert in_this_process(read_engine("local[threads=3]"))


@pytest.mark.parametrize("engine", [TWO, "ray", "slurm[executor=local,jobs=2]"])
def test_processes_of_each_engine_write_what_one_process_writes_though_one_is_killed(
    engine: str, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = {"ray": "ray", "slurm": "submitit"}.get(engine.partition("[")[0], "torch")
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")
    plugin = tmp_path / "deadly.py"
    plugin.write_text(PLUGIN)
    monkeypatch.setenv("RAY_worker_niceness", "0")
    words: dict[str, Any] = {
        "dataset": "toy", "models": "small", "methods": "deadly,saliency", "metrics": "gini,entropy",
        "plugins": plugin, "keep": 2, "progress": False,
    }  # fmt: skip
    alone = xb.run(**words, out=tmp_path / "alone")
    monkeypatch.setenv("XAIBOARD_DEADLY", str(os.getpid()))
    other = xb.run(**words, out=tmp_path / "other", engine=engine)
    assert (tmp_path / "deadly.died").exists()
    assert contents(other.folder) == contents(alone.folder) != {}
    assert set(other.cells["status"]) == {"ok"}
