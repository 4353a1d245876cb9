"""What another process computes of a run: it plans its part anew from the words, and checks that it is the same."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from ..engine.map_keeper import MapKeeper
from ..engine.plan import Plan
from ..engine.runner import compute, library_versions
from ..errors import XaiboardError, XaiboardWarning, message
from ..request import Request, read_request
from ..store.journal import Journal
from ..store.records import Store
from ..toolkit.files import user_path
from ..toolkit.sources import sources_digest
from .planning import make_plan


@dataclass(frozen=True)
class Task:
    """A unit of work as it travels: words, not networks or images; whoever gets it has the same files.

    Args:
        run: tells the tasks of one run from those of others.
        words: of the request; files have the paths that they have where the run was started.
        model: name of the network.
        keys: of the cells.
        rows: first sample, and the one after the last, of each shard.
        threads: of torch.
        journal: file for what is being done.
        versions: of libraries, and the digest of our own code.
        plugins: digests of the files of plug-ins, by path.
        folder: the current folder.
        environment: variables of ours.
    """

    run: str
    words: Mapping[str, Any]
    model: str
    keys: Sequence[str]
    rows: Sequence[tuple[int, int]]
    threads: int
    journal: Path
    versions: Mapping[str, str]
    plugins: Mapping[str, str]
    folder: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Done:
    """What comes back when a unit is computed, beside its records.

    Args:
        maps: of the first samples, as :attr:`.MapKeeper.rows`.
        warned: sentences for the user.
        refused: why nothing was computed: a mistake of the user, or other versions than where the run was started.
    """

    maps: Mapping[Any, Any] = field(default_factory=dict)
    warned: Sequence[str] = ()
    refused: str = ""


def versions() -> dict[str, str]:
    """What must be the same in all processes of a run."""
    return {**library_versions(), "code": sources_digest()[:12]}


def file_digests(files: str | Path | Sequence[str | Path]) -> dict[str, str]:
    """Digests of files by their absolute paths; empty for those that are not there."""
    each = [files] if isinstance(files, (str, Path)) else files
    paths = [user_path(file).resolve() for file in each]
    return {str(path): sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in paths}


def work(task: Task) -> Done:
    """Computes a unit, whose records are written to the folder of the run."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            maps = _compute(task)
        except XaiboardError as error:
            return Done(refused=message(error))
    return Done(maps, [str(each.message) for each in caught if issubclass(each.category, XaiboardWarning)])


def _compute(task: Task) -> Mapping[Any, Any]:
    _require_same(task)
    torch.set_num_threads(task.threads)
    request, plan = _planned(task)
    cells = {cell.key: cell for cell in plan.cells}
    if unknown := [key for key in task.keys if key not in cells]:
        raise XaiboardError(
            f"on '{platform.node()}' {len(unknown)} cells of '{task.model}' are not those of the run, such as"
            f" {unknown[0]}: data, weights, plug-ins or what networks compute differ; give all machines the same files"
            " and libraries"
        )
    store, keeper = Store(request.out), MapKeeper(plan, request.keep, request.batch_size, request.out)
    journal = Journal(task.journal)
    try:
        for start, stop in task.rows:
            for cell in compute(
                plan,
                [cells[key] for key in task.keys],
                slice(start, stop),
                store,
                batch_size=request.batch_size,
                passed=journal.passed,
                keepers=[keeper],
            ):
                journal.begin(cell.key, start)
    finally:
        journal.close()
    return keeper.rows


def _require_same(task: Task) -> None:
    """Raises XaiboardError if this process would compute something else than the one that planned the run."""
    here = versions()
    for name, there in task.versions.items():
        if here.get(name) != there:
            raise XaiboardError(
                f"the worker on '{platform.node()}' has {name} {here.get(name)}, and the run was started with {there};"
                " install the same version there"
            )
    os.environ.update(task.environment)
    if not Path(task.folder).is_dir() or not Path(task.words["out"]).is_dir():
        raise XaiboardError(
            f"the worker on '{platform.node()}' does not see '{task.folder}' and '{task.words['out']}'; start the run"
            " from a folder that all machines share, and write to one"
        )
    os.chdir(task.folder)
    for path, digest in file_digests(list(task.plugins)).items():
        if task.plugins[path] != digest:
            raise XaiboardError(
                f"plug-in '{path}' is another file on '{platform.node()}' than where the run was started; share one"
            )


_PLANNED: dict[tuple[str, str], tuple[Request, Plan]] = {}
"""The network of the last task, since the next one often has the same."""


def _planned(task: Task) -> tuple[Request, Plan]:
    which = task.run, task.model
    if which not in _PLANNED:
        _PLANNED.clear()
        request = read_request(**task.words)
        _PLANNED[which] = request, make_plan(request, model=task.model)
    return _PLANNED[which]
