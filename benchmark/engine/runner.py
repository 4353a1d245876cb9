"""Executes a plan: computes each attribution once for all metrics; a component that raises fails only its own cells."""

from __future__ import annotations

import gc
import platform
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from itertools import groupby
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from ..errors import message, noted, warn
from ..store.records import Record, Store
from ..toolkit.progress import moving
from .batching import Batcher
from .cell import Cell
from .cells_bar import CellsBar
from .costs import Cost, total
from .map_keeper import Keeper
from .passes import count_passes
from .plan import Plan
from .promise import PER_CELL, promise
from .recorded import bound_to
from .scores import Scores, score
from .values import Values
from .watched_code import own_code, own_components, warn_of_changed_code


def execute(
    plan: Plan,
    store: Store,
    *,
    batch_size: int | None = None,
    progress: bool = True,
    keepers: Sequence[Keeper] = (),
    pictures: Mapping[str, Cost] = MappingProxyType({}),
) -> None:
    """Computes the plan's cells that have no record yet, and stores each as soon as it is finished.

    Args:
        plan: what to compute.
        store: an open store.
        batch_size: samples in a batch; None for a size that suits the device.
        progress: whether to say how long it will take, and to show a bar with cells and time left.
        keepers: are shown what each cell was computed from.
        pictures: passes that pictures take afterwards, by model.

    Raises:
        XaiboardError: a record cannot be written.
    """
    finished, todo = split(plan, store)
    warn_of_changed_code(finished, store)
    promised = promise(plan, todo, batch_size, pictures) if progress else None
    with moving(CellsBar(promised)) as bar:
        done = 0
        for rows, cells in portions(plan, todo):
            bar.begin(cells[0].model.name)
            for cell in compute(
                plan, cells, rows, store, batch_size=batch_size, passed=bar.passed, keepers=keepers
            ):
                bar.set_postfix_str(f"cell {done + 1}/{len(todo)}, {_name(cell)}", refresh=False)
                done += rows.stop == len(plan.data)  # with its last shard the cell is done
                bar.add(PER_CELL)


def portions(plan: Plan, cells: Sequence[Cell]) -> Iterator[tuple[slice, Sequence[Cell]]]:
    """Samples that are computed together, and the cells of one model to compute on them; model by model.

    A metric that is called once with all samples gets all of them; for the other metrics it goes shard by shard.
    """
    for _, of_model in groupby(cells, key=lambda cell: cell.model.name):
        group = list(of_model)
        if len(plan.shards) == 1:
            yield plan.shards[0], group
            continue
        if whole := [cell for cell in group if cell.metric.component.whole]:
            yield slice(0, len(plan.data)), whole
        if by_shard := [cell for cell in group if not cell.metric.component.whole]:
            yield from ((rows, by_shard) for rows in plan.shards)


def compute(
    plan: Plan,
    cells: Sequence[Cell],
    rows: slice,
    store: Store,
    *,
    batch_size: int | None = None,
    passed: Callable[[int, int], object] = lambda forward, backward: None,
    keepers: Sequence[Keeper] = (),
) -> Iterator[Cell]:
    """Computes those cells of one model that have no record on the samples ``rows``, and yields each just before.

    Args:
        plan: of which they are.
        cells: of one model, sorted by method.
        rows: one of the plan's shards, or all samples.
        store: an open store.
        batch_size: samples in a batch; None for a size that suits the device.
        passed: is told how many samples have gone forward and backward.
        keepers: are shown what each cell was computed from.
    """
    if len(plan.shards) > 1:
        gc.collect()  # values and their guard refer to one another: the images of the last shard would stay
    with count_passes(cells[0].model.module, passed) as passes:
        values = Values(
            cells[0].model,
            plan.data.part(rows),
            plan.reference,
            plan.conditions,
            Batcher(batch_size, plan.conditions.device),
            passes,
            plan.others,
            store.folder,
        )
        if any(map(own_components, plan.cells)):
            values.check_network("a component of this run")
        yield from _compute_portion(plan, cells, _shards_within(plan, rows), values, store, keepers)


def _shards_within(plan: Plan, rows: slice) -> dict[int, slice]:
    """The plan's shards that lie within ``rows``: their samples, counted from the start of ``rows``, by number."""
    return {
        shard: slice(part.start - rows.start, part.stop - rows.start)
        for shard, part in enumerate(plan.shards)
        if rows.start <= part.start and part.stop <= rows.stop
    }


def _compute_portion(
    plan: Plan,
    cells: Sequence[Cell],
    shards: Mapping[int, slice],
    values: Values,
    store: Store,
    keepers: Sequence[Keeper],
) -> Iterator[Cell]:
    """Computes cells of one model on the samples of ``values``, and yields each just before, for the progress bar.

    The cells are sorted by method; after the last one of a method its attributions are kept and freed.
    """
    for _, of_method in groupby(cells, key=lambda cell: cell.method and cell.method.label):
        group = list(of_method)
        for cell in group:
            yield cell
            if not all(store.has(cell.key, shard) for shard in shards):
                _compute(plan, cell, shards, values, store)
        if method := group[0].method:
            for keeper in keepers:
                for cell in group:
                    keeper.take(values, cell)
            values.memo.forget(method.label)


def split(plan: Plan, store: Store) -> tuple[list[Cell], list[Cell]]:
    """The cells that apply, in two lists: those that have all of their records, and those to compute.

    Records of a cell with more columns serve one with fewer.
    """
    cells = [cell for cell in plan.cells if not cell.reason]
    keys = {cell.key: [each.key for each in cell.alternatives] for cell in cells}
    done = store.finished([each for of_cell in keys.values() for each in of_cell], len(plan.shards))
    known = {key for key, of_cell in keys.items() if not done.isdisjoint(of_cell)}
    return [cell for cell in cells if cell.key in known], [cell for cell in cells if cell.key not in known]


def _compute(plan: Plan, cell: Cell, shards: Mapping[int, slice], values: Values, store: Store) -> None:
    """Computes a cell on all samples of ``values``, and writes one record for each shard among them.

    If a component raises, the error is recorded instead, and the run goes on.
    """
    own = own_components(cell)
    try:
        values.require_network()
        compute = partial(score, values, cell.metric, cell.method, cell.perturbation)
        with noted() as notes:
            scores, measured = values.memo.measured(compute)
        records = {shard: _record(values, scores, rows) for shard, rows in shards.items()}
        values.check_network(" or ".join(own))
        values.require_network()
    except Exception as error:  # a component may raise anything
        said = "; ".join(filter(None, (message(error), values.guard.note(own))))
        store.fail(cell.key, min(shards), said, traceback.format_exc())
        return
    cost = measured.own + total(values.memo.cost[key] for key in measured.used)
    provenance = {
        "batch_size": values.batcher.size,
        "device": device_name(values.conditions.device),
        "threads": torch.get_num_threads(),
        **library_versions(),
        "python": platform.python_version(),
        "code": own_code(cell),
        "outputs": bound_to(cell, plan),
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    for each in notes:
        warn(f"{_name(cell)}: {each}")
    if note := "; ".join(filter(None, (values.guard.note(own), *notes))):
        provenance["note"] = note
    for shard, record in records.items():
        spent = (
            cost if shard == min(records) else Cost()
        )  # once for all shards: tables add up a cell's records
        passes = {
            "seconds": round(spent.seconds, 4),
            "forward": int(spent.forward),
            "backward": int(spent.backward),
        }
        store.write(cell.key, shard, record, cell.identity, {**passes, **provenance})


def library_versions() -> dict[str, str]:
    """The versions on which scores may depend, for records and people."""
    return {"xaiboard": version("xaiboard"), "torch": torch.__version__}


def device_name(device: str) -> str:
    """Name of the hardware behind a device, for records."""
    kind = torch.device(device)
    return torch.cuda.get_device_name(kind) if kind.type == "cuda" else f"{kind.type} ({platform.machine()})"


def _name(cell: Cell) -> str:
    method = [cell.method.label] if cell.method else []
    return " ".join([cell.model.name, *method, cell.metric.label])


def _record(values: Values, scores: Scores, rows: slice) -> Record:
    """What is stored of the samples ``rows``."""

    def arrays(columns: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
        return {name: column.cpu().numpy() for name, column in columns.items()}

    correct, of_rows = values.logits.argmax(1) == values.label, scores[rows]
    return Record(
        np.asarray(values.ids, dtype=np.int64)[rows],
        values.target[rows].cpu().numpy(),
        values.label[rows].cpu().numpy(),
        correct[rows].cpu().numpy(),
        arrays(of_rows.score),
        arrays(of_rows.weight),
        arrays(of_rows.curve),
    )
