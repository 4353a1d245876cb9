"""The maps of a run: those of earlier runs that are still right, and all of a run that kept none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ..engine.cell import Cell
from ..engine.map_keeper import MapKeeper, explained
from ..engine.plan import Plan
from ..engine.staleness import computes_the_same, warn_of_unknown_outputs
from ..errors import XaiboardError
from ..request import Request
from ..store.kept import Explained, Kept, read_kept, write_kept
from ..store.known_outputs import note_outputs, read_known_outputs
from ..store.maps import IMAGES, MAPS
from ..store.records import Store
from ..store.run_file import check_conditions, check_schema, read_run
from ..store.seal import pass_doubts_on
from ..store.suites import note_suite
from ..store.tables import read_cells, seal_as_found
from .planning import make_plan


def keep_maps(request: Request, *, progress: bool = True) -> Kept:
    """Computes the maps that the run in a folder lacks, published or not, and writes them beside its tables.

    What the networks compute is noted, where an earlier version did not.

    Returns:
        All maps in the folder.

    Raises:
        XaiboardError: no run in the folder, or networks, methods, data or conditions are not those of its scores.
    """
    folder, store = request.out, Store(request.out)
    if request.keep == 0 or request.reuse is not None:
        raise XaiboardError("--maps keeps maps and computes nothing else; leave --reuse and '--keep 0' out")
    if (run := read_run(folder)) is None:
        raise XaiboardError(f"no run in '{folder}'; name with --out a folder that 'xaiboard run' wrote")
    check_schema(folder)
    cells = read_cells(folder)
    plan = make_plan(request, only_maps=True)
    check_conditions(run, plan.run_conditions, folder, "give the words with which it was run")
    judged = _judged_there(plan.cells, cells, folder)
    warn_of_unknown_outputs(judged, plan.data, read_known_outputs(folder))
    keeper = MapKeeper(replace(plan, cells=judged), request.keep, request.batch_size, folder)
    keeper.complete(read_kept(folder), progress=progress)
    with store.lock():
        seal_as_found(folder)
        kept = keeper.kept.beside(read_kept(folder).right(keeper.identities)).named_in(cells)
        write_kept(folder, kept)
    note_outputs(store, {**read_known_outputs(folder), **plan.outputs})
    if request.suite:
        note_suite(store, request.suite)
    return kept


def _judged_there(planned: Sequence[Cell], cells: pd.DataFrame, folder: Path) -> list[Cell]:
    """The planned cells of those models and methods that the table of cells in ``folder`` names.

    Raises:
        XaiboardError: it names none of them, or has none of the cells of one.
    """
    known = cells.groupby(["dataset", "model", "method"])["key"].agg(set).to_dict()
    judged: dict[Explained, list[Cell]] = {}
    for cell in planned:
        if cell.method and (pair := explained(cell, cell.method)) in known:
            judged.setdefault(pair, []).append(cell)
    if not judged:
        raise XaiboardError(
            f"'{folder}' has no cells of the selected models and methods; select those that are in its cells.csv"
        )
    for pair, of_pair in judged.items():
        if known[pair].isdisjoint(each.key for cell in of_pair for each in cell.alternatives):
            raise XaiboardError(
                f"no cell of '{pair[2]}' on '{pair[1]}' in '{folder}' is one that these words name: network, method,"
                " metrics or data are not those of its scores, which the maps would not fit; give the words with which"
                " it was run"
            )
    return [cell for of_pair in judged.values() for cell in of_pair]


def take_maps_over(request: Request, plan: Plan, keeper: MapKeeper) -> Kept:
    """Writes the maps of earlier runs that are still right into the folder of the run, and returns them."""
    known = read_kept(request.out)
    if request.reuse is not None:
        there = read_known_outputs(request.reuse)
        others = {
            explained(cell, cell.method): ""
            for cell in plan.cells
            if cell.method and not computes_the_same(cell, plan.data, plan.outputs, there)
        }
        known = known.beside(read_kept(request.reuse).right({**keeper.identities, **others}))
    known = known.right(keeper.identities)
    write_kept(request.out, known)
    if request.reuse is not None:
        pass_doubts_on(request.reuse, request.out, (MAPS, IMAGES))
    return known
