"""Carries a request out: cells, tables, pictures and page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from ..engine.cell import served
from ..engine.map_keeper import MapKeeper
from ..engine.plan import Plan
from ..engine.promise import promise
from ..engine.recorded import set_unknown_aside
from ..engine.runner import execute, library_versions, split
from ..engine.staleness import warn_of_unknown_outputs
from ..engine.watched_code import own_code, warn_of_changed_code
from ..executors.choice import in_this_process
from ..html_page.make import PAGE as REPORT
from ..pictures.counterfactuals import draw_counterfactuals
from ..pictures.perturbed_maps import PerturbedMaps
from ..report.drawing.formats import figure_names, formats_of
from ..report.section import sections
from ..report.write import write, written_names
from ..request import Request
from ..store.class_names import note_class_names
from ..store.consolidate import consolidate
from ..store.kept import read_kept, write_kept
from ..store.known_outputs import note_outputs
from ..store.locks import computing
from ..store.made import is_current, note_made
from ..store.records import Store
from ..store.restore import repair
from ..store.reuse import check_reusable, take_over
from ..store.seal import OWN, seal_files
from ..store.sealed_cells import unseal
from ..store.suites import note_suite
from ..store.versions import note_versions
from ..toolkit.files import file_name
from ..toolkit.progress import stage
from ..toolkit.sources import sources_digest
from .driver import execute_elsewhere
from .finished_run import Run
from .maps import take_maps_over
from .planning import PLANNING, known_outputs, make_plan, passes_of_pictures, wanted


def run_request(request: Request, *, progress: bool = True) -> Run:
    """Computes what a request asks for, writes its tables and pictures, and returns them.

    Where all is there already, made of the same records by the same code, nothing is written.

    Raises:
        XaiboardError: a mistake in the data or the weights, or a folder that cannot be written.
    """
    with stage(PLANNING, shown=progress):
        plan = make_plan(request)
    store, made_of = Store(request.out), files_follow_from(plan, request)
    if request.reuse is None and _is_done(plan, store, made_of):
        return Run(store.folder, frozenset(cell.key for cell in plan.cells), unchanged=True)
    if request.reuse is not None:
        check_reusable(request.reuse, plan.run_conditions)
    with store.lock():
        repair(store)
    store.open(plan.run_conditions, [*OWN, *written_names()])
    if request.suite:
        note_suite(store, request.suite)
    with computing(store.folder):
        plan = _with_what_is_there(plan, store, request.reuse)
        known = known_outputs(request)
        there, todo = split(plan, store)
        warn_of_unknown_outputs(there, plan.data, known)
        with store.lock():
            unseal(store, {cell.key for cell in todo})
        note_outputs(store, {**known, **plan.outputs})
        note_class_names(store, plan.dataset, plan.data.classes)
        if todo:
            note_versions(store, library_versions())
        store.plan(plan.summary)
        keeper = MapKeeper(plan, request.keep, request.batch_size, store.folder)
        with store.lock():
            maps = take_maps_over(request, plan, keeper)
        gallery = PerturbedMaps(plan)
        pictures = passes_of_pictures(plan, gallery, todo)
        if in_this_process(request.engine):
            execute(
                plan,
                store,
                batch_size=request.batch_size,
                progress=progress,
                keepers=[keeper, gallery],
                pictures=pictures,
            )
        else:
            warn_of_changed_code(there, store)
            promised = promise(plan, todo, request.batch_size, pictures)
            execute_elsewhere(plan, todo, request, promised, keeper, progress=progress)
        keeper.complete(maps, progress=progress)
        finished = Run(store.folder, frozenset(cell.key for cell in plan.cells))
        with stage("tables and figures", shown=progress) as line:
            with store.lock():
                consolidate(store)
                write_kept(store.folder, keeper.kept.beside(read_kept(store.folder)).named_in(finished.cells))
                write_tables(finished, request.figures, line.set_postfix_str)
            line.set_postfix_str("galleries")
            _draw_pictures(plan, gallery, finished, request.figures)
            line.set_postfix_str(REPORT)
            with store.lock():
                seal_files(store.folder, figure_names(store.folder))
                finished.report()
                if not store.unverified:  # then it is said again at the next run
                    note_made(store, made_of)
    return finished


def _is_done(plan: Plan, store: Store, made_of: dict[str, object]) -> bool:
    """Whether all cells are finished, and tables, figures and page were made of them as they would be now."""
    if not store.records.is_dir():
        return False
    with store.lock(reading=True):
        return not split(plan, store)[1] and is_current(store, made_of)


def files_follow_from(plan: Plan, request: Request) -> dict[str, object]:
    """What tables, figures and page depend on, beside records and ``run.json``: words, code and libraries."""
    return {
        "plan": plan.summary,
        "words": [request.keep, request.figures, request.suite, formats_of(request.out, request.figures)],
        "components": sorted({item for cell in plan.cells for item in own_code(cell).items()}),
        "code": sources_digest(each.component.folder for each in request.metrics if each.component.built_in),
        "sections": [section.name for section in sections()],
        "libraries": [version(name) for name in ("matplotlib", "numpy", "pandas", "pyarrow", "torch")],
    }


def _with_what_is_there(plan: Plan, store: Store, reuse: Path | None) -> Plan:
    """The plan as finished records serve it, after those of another run were taken over and unknown ones set aside."""
    plan = _served(plan, store)
    with store.lock():
        unknown = {cell.key for cell in set_unknown_aside(split(plan, store)[0], plan, store)}
    if reuse is None:
        return plan
    there = wanted([cell for cell in plan.cells if cell.key not in unknown], plan, reuse)
    take_over(reuse, store, there, len(plan.shards))
    return _served(plan, store)


def _served(plan: Plan, store: Store) -> Plan:
    """The plan, whose cells have the further columns that finished records of the folder have."""
    return replace(plan, cells=served(plan.cells, partial(store.finished, shards=len(plan.shards))))


def _draw_pictures(plan: Plan, gallery: PerturbedMaps, finished: Run, figures: str) -> None:
    """Draws what a few samples look like when they are perturbed, in the cells that this run planned."""
    picture = f"{file_name(plan.dataset)}{_part(plan, finished.cells)}"
    formats = formats_of(finished.folder, figures)
    draw_counterfactuals(
        plan, [finished.folder / f"counterfactuals-{picture}.{suffix}" for suffix in formats]
    )
    gallery.draw([finished.folder / f"attribution-gallery-{picture}.{suffix}" for suffix in formats])


def _part(plan: Plan, cells: pd.DataFrame) -> str:
    """What tells the pictures of some models and methods apart from those of all in the folder."""
    drawn = {(cell.model.name, cell.method.label if cell.method else "") for cell in plan.cells}
    of_dataset = cells[cells["dataset"] == plan.dataset]
    return "" if set(zip(of_dataset["model"], of_dataset["method"], strict=True)) <= drawn else "-part"


def write_tables(finished: Run, figures: str = "png", doing: Callable[[str], object] = str) -> None:
    """Writes every table and figure that follows from ``cells.csv``, ``scores.parquet`` and ``curves.csv``."""
    write(finished.folder, finished.results, figures, doing)
