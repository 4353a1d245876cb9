"""Has a plan computed by the processes of an engine: hands units out, shows what they do, and tries lost ones again."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from ..engine.cell import Cell
from ..engine.cells_bar import CellsBar
from ..engine.map_keeper import MapKeeper
from ..engine.plan import Plan
from ..engine.promise import Promise
from ..engine.speed import Speed
from ..engine.units import Splitter, Unit
from ..errors import XaiboardError, warn
from ..executors.choice import start
from ..executors.jobs import Engine, Job, LostError
from ..request import Request
from ..store.journal import Reader
from ..store.records import Store
from ..toolkit.progress import moving
from .worker import Done, Task, file_digests, versions, work

TRIES = 3
"""How often in a row a process may die at the same cell, before that cell counts as failed."""

PAUSE = 0.05
"""Seconds between two looks at the jobs."""


def execute_elsewhere(
    plan: Plan,
    todo: Sequence[Cell],
    request: Request,
    promised: Promise,
    keeper: MapKeeper,
    *,
    progress: bool,
) -> None:
    """Computes cells of a plan by the processes of the request's engine; records are as if they were computed here.

    Args:
        plan: of the run.
        todo: cells that have no record yet.
        request: what was asked for.
        promised: what computing the cells is expected to take in one process.
        keeper: gets the maps of the first samples.
        progress: whether to show a bar.

    Raises:
        XaiboardError: the engine cannot be reached, or a process has other versions or files.
    """
    if not todo:
        return
    engine: Engine = start(request.engine, request.out)
    try:
        units = Splitter(plan, promised.speeds).split(todo, engine.slots)
        shared = _for(promised, min(engine.slots, len(units))) if progress else None
        with moving(CellsBar(shared)) as bar:
            _Driver(plan, request, engine, keeper, bar).run(units)
    finally:
        engine.close()


def _for(promised: Promise, processes: int) -> Promise:
    """What several processes are expected to take."""
    speeds = {
        name: Speed(each.forward / processes, each.backward / processes)
        for name, each in promised.speeds.items()
    }
    return replace(promised, computing=promised.computing / processes, speeds=speeds)


@dataclass
class _Part:
    """A unit that is handed out, or will be.

    Args:
        unit: what is left of it.
        died: how often in a row a process died at ``at``.
        at: key and first sample of the cell that was begun last; None before the first one.
    """

    unit: Unit
    died: int = 0
    at: tuple[str, int] | None = None
    reader: Reader = field(default_factory=lambda: Reader(Path()))


class _Driver:
    def __init__(
        self, plan: Plan, request: Request, engine: Engine, keeper: MapKeeper, bar: CellsBar
    ) -> None:
        self._plan, self._engine, self._keeper, self._bar = plan, engine, keeper, bar
        self._store, self._run = Store(request.out), uuid4().hex
        self._journals = self._store.records / "journals"
        self._journals.mkdir(exist_ok=True)
        words = {
            **request.words,
            "device": request.conditions.device,
            "engine": "local",
            "out": request.out.resolve(),
            "reuse": None,  # what is known there has been noted in the folder
        }
        self._task = Task(
            run=self._run,
            words=words,
            model="",
            keys=(),
            rows=(),
            threads=engine.threads,
            journal=self._journals,
            versions=versions(),
            plugins=file_digests(request.words["plugins"]),
            folder=str(Path.cwd()),
            environment={key: value for key, value in os.environ.items() if key.startswith("XAIBOARD_")},
        )

    def run(self, units: Sequence[Unit]) -> None:
        """Hands units out until all are computed, no more at a time than the engine takes."""
        waiting = [_Part(unit) for unit in units]
        flying: list[tuple[Job, _Part]] = []
        try:
            while waiting or flying:
                if free := self._engine.room - len(flying):
                    parts, waiting = waiting[:free], waiting[free:]
                    jobs = self._engine.submit(work, [self._task_of(part) for part in parts]) if parts else []
                    flying += zip(jobs, parts, strict=True)
                for each in list(flying):
                    job, part = each
                    over = job.done()
                    self._show(part, f"{len(waiting) + len(flying)} of {len(units)} parts left")
                    if over:
                        flying.remove(each)
                        waiting += self._left(job, part)
                time.sleep(PAUSE)
        finally:
            for path in self._journals.glob(f"{self._run}-*"):
                path.unlink(missing_ok=True)

    def _task_of(self, part: _Part) -> Task:
        journal = self._journals.resolve() / f"{self._run}-{uuid4().hex[:8]}"
        part.reader = Reader(journal)
        return replace(
            self._task,
            model=part.unit.model,
            keys=[cell.key for cell in part.unit.cells],
            rows=[(rows.start, rows.stop) for rows in part.unit.rows],
            journal=journal,
        )

    def _show(self, part: _Part, said: str) -> None:
        """Moves the bar by what a process has done since the last look."""
        self._bar.begin(part.unit.model)
        self._bar.set_postfix_str(said, refresh=False)
        self._bar.passed(*part.reader.passes())

    def _left(self, job: Job, part: _Part) -> list[_Part]:
        """Takes what a job has brought; the part that has to be handed out again, if its process has died."""
        try:
            done: Done = job.result()
        except LostError as error:
            part.reader.passes()  # its last lines
            return self._again(part, str(error))
        if done.refused:
            raise XaiboardError(done.refused)
        for sentence in done.warned:
            warn(sentence)
        self._keeper.add(done.maps)
        return []

    def _again(self, part: _Part, how: str) -> list[_Part]:
        """What is left of a part whose process has died: less the cell at which one process after another dies."""
        at = part.reader.begun
        died = part.died + 1 if at == part.at else 1
        if died < TRIES:
            return [_Part(part.unit, died, at)]
        said = f"the process that computed it died {TRIES} times in a row: the last one {how}"
        first = part.unit.rows[0].start if at is None else at[1]
        shard = [rows.start for rows in self._plan.shards].index(first)
        lost = [cell for cell in part.unit.cells if at is None or cell.key == at[0]]
        for cell in lost:
            self._store.fail(cell.key, shard, said, "")
        left = tuple(cell for cell in part.unit.cells if cell not in lost)
        return [_Part(replace(part.unit, cells=left))] if left else []
