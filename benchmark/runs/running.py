"""Carries a request out: cells, tables, pictures and page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pandas as pd

from ..engine.cell import served
from ..engine.map_keeper import MapKeeper
from ..engine.plan import Plan
from ..engine.runner import execute, split
from ..engine.staleness import warn_of_unknown_outputs
from ..html_page.make import PAGE as REPORT
from ..pictures.counterfactuals import draw_counterfactuals
from ..pictures.perturbed_maps import draw_robustness_gallery
from ..report.formats import figure_names, formats_of
from ..report.write import write, written_names
from ..request import Request
from ..store.consolidate import consolidate
from ..store.kept import read_kept, write_kept
from ..store.known_outputs import note_outputs
from ..store.locks import computing
from ..store.records import Store
from ..store.restore import repair
from ..store.reuse import check_reusable, take_over
from ..store.seal import OWN, seal_files
from ..store.sealed_cells import unseal
from ..store.suites import note_suite
from ..toolkit.files import file_name
from ..toolkit.progress import stage
from .finished_run import Run
from .maps import take_maps_over
from .planning import PLANNING, known_outputs, make_plan, wanted


def run_request(request: Request, *, progress: bool = True) -> Run:
    """Computes what a request asks for, writes its tables and pictures, and returns them.

    Raises:
        XaiboardError: a mistake in the data or the weights, or a folder that cannot be written.
    """
    with stage(PLANNING, shown=progress):
        plan = make_plan(request)
    store = Store(request.out)
    if request.reuse is not None:
        check_reusable(request.reuse, plan.run_conditions)
    with store.lock():
        repair(store)
    store.open(plan.run_conditions, [*OWN, *written_names()])
    if request.suite:
        note_suite(store, request.suite)
    with computing(store.folder):
        plan = _served(plan, store)
        if request.reuse is not None:
            take_over(request.reuse, store, wanted(plan.cells, plan, request.reuse), len(plan.shards))
            plan = _served(plan, store)
        known = known_outputs(request)
        finished_here, todo = split(plan, store)
        warn_of_unknown_outputs(finished_here, plan.data, known)
        with store.lock():
            unseal(store, {cell.key for cell in todo})
        note_outputs(store, {**known, **plan.outputs})
        store.plan(plan.summary)
        keeper = MapKeeper(plan, request.keep, request.batch_size)
        with store.lock():
            known = take_maps_over(request, plan, keeper)
        execute(plan, store, batch_size=request.batch_size, progress=progress, keeper=keeper)
        keeper.complete(known, progress=progress)
        finished = Run(store.folder, frozenset(cell.key for cell in plan.cells))
        with stage("tables and figures", shown=progress) as line:
            with store.lock():
                consolidate(store)
                write_kept(store.folder, keeper.kept.beside(read_kept(store.folder)).named_in(finished.cells))
                write_tables(finished, request.figures, line.set_postfix_str)
            line.set_postfix_str("galleries")
            _draw_pictures(plan, finished, request.figures)
            line.set_postfix_str(REPORT)
            with store.lock():
                seal_files(store.folder, figure_names(store.folder))
                finished.report()
    return finished


def _served(plan: Plan, store: Store) -> Plan:
    """The plan, whose cells have the further columns that finished records of the folder have."""
    return replace(plan, cells=served(plan.cells, partial(store.finished, shards=len(plan.shards))))


def _draw_pictures(plan: Plan, finished: Run, figures: str) -> None:
    """Draws what a few samples look like when they are perturbed, in the cells that this run planned."""
    picture = f"{file_name(plan.dataset)}{_part(plan, finished.cells)}"
    for suffix in formats_of(finished.folder, figures):
        draw_counterfactuals(plan, finished.folder / f"counterfactuals-{picture}.{suffix}")
        draw_robustness_gallery(plan, finished.folder / f"attribution-gallery-{picture}.{suffix}")


def _part(plan: Plan, cells: pd.DataFrame) -> str:
    """What tells the pictures of some models and methods apart from those of all in the folder."""
    drawn = {(cell.model.name, cell.method.label if cell.method else "") for cell in plan.cells}
    of_dataset = cells[cells["dataset"] == plan.dataset]
    return "" if set(zip(of_dataset["model"], of_dataset["method"], strict=True)) <= drawn else "-part"


def write_tables(finished: Run, figures: str = "png", doing: Callable[[str], object] = str) -> None:
    """Writes every table and figure that follows from ``cells.csv``, ``scores.parquet`` and ``curves.csv``."""
    write(finished.folder, finished.results, figures, doing)
