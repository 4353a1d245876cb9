"""What a request would do: data, networks and cells, those that are finished, and how long the others take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ..components import registry
from ..components.choice import Choice
from ..engine.cell import Cell
from ..engine.isolation import alone
from ..engine.plan import Plan, make_cells
from ..engine.probe import probe
from ..engine.promise import Promise, promise
from ..engine.runner import split
from ..engine.staleness import Register, computes_the_same
from ..errors import XaiboardError
from ..request import Request
from ..store.damage import DamagedError
from ..store.known_outputs import read_known_outputs
from ..store.records import Store
from ..store.reuse import Wanted, check_reusable, reusable
from ..subjects import trained_models
from ..subjects.datasets import load_data, load_reference, take
from ..subjects.examination import examined
from ..toolkit.data import Data

PLANNING = "planning: each combination is tried on one sample"
"""What a terminal shows before the first cell."""


def make_plan(request: Request, *, only_maps: bool = False) -> Plan:
    """What running the request would do: data and weights read, cells checked, passes counted on one sample.

    Args:
        request: what was asked for.
        only_maps: whether nothing but maps will be computed: then no passes are counted, and networks and functions
            that compute something else than is known in the run's folder are refused.

    Raises:
        XaiboardError: a mistake in the data or the weights, or nothing to run.
    """
    with alone("loading data and models"):
        data = _samples(request)
        networks = [
            trained_models.wrap_object(model, name, request.families.get(name, "own"))
            if isinstance(model, nn.Module)
            else trained_models.load(model, request.dataset, data.shape, len(data.classes))
            for name, model in request.models.items()
        ]
        parts = (*request.methods, *request.metrics, *request.perturbations)
        reference = (
            load_reference(request.dataset) if any(part.needs("reference") for part in parts) else None
        )
        others = {
            name: trained_models.load(registry.models[name], request.dataset, data.shape, len(data.classes))
            for name in sorted({choice.other_model for choice in request.perturbations} - {""})
        }
        labels = len(data.classes) if request.conditions.target == "label" else 0
        networks = [examined(network, data.x, labels) for network in networks]
    if networks and all(network.refused for network in networks):
        raise XaiboardError(f"'{networks[0].name}': {networks[0].refused}")
    register = Register(data, reference, request.conditions, known_outputs(request), strict=only_maps)
    networks = [network if network.refused else register.network(network) for network in networks]
    others = {name: register.network(other) for name, other in others.items()}
    judged = [network for network in networks if not network.refused]
    methods, metrics = (
        [register.function(choice, judged, others) for choice in _at_size(data, choices)]
        for choices in (request.methods, request.metrics)
    )
    cells = make_cells(
        request.dataset,
        data,
        networks,
        methods,
        metrics,
        _at_size(data, request.perturbations),
        request.conditions,
        reference,
        others,
    )
    if not cells:
        raise XaiboardError("nothing to run: no selected metric judges the selected methods or models")
    costs = probe([] if only_maps else cells, data, reference, request.conditions, others)
    return Plan(request.dataset, data, reference, cells, request.conditions, costs, others, register.outputs)


def finished_cells(plan: Plan, request: Request) -> list[Cell]:
    """Cells of a plan that need not be computed: they are in the run's folder, or in the run that it reuses."""
    finished, todo = split(plan, Store(request.out))
    if request.reuse is None:
        return finished
    check_reusable(request.reuse, plan.run_conditions)
    known = reusable(request.reuse, wanted(todo, plan, request.reuse), len(plan.shards))
    return [*finished, *(cell for cell in todo if any(each.key in known for each in cell.alternatives))]


def promise_of(plan: Plan, finished: Sequence[Cell], request: Request) -> Promise:
    """How long computing the cells that are not finished will take; each network is timed for a moment."""
    known = {cell.key for cell in finished}
    todo = [cell for cell in plan.cells if not cell.reason and cell.key not in known]
    return promise(plan, todo, request.batch_size)


def wanted(cells: Sequence[Cell], plan: Plan, reuse: Path) -> list[Wanted]:
    """Those cells that may be taken over from another folder: networks and functions compute the same there."""
    there = read_known_outputs(reuse)
    return [
        Wanted(each.key, each.columns)
        for cell in cells
        if computes_the_same(cell, plan.data, plan.outputs, there)
        for each in cell.alternatives
    ]


def known_outputs(request: Request) -> dict[str, Any]:
    """What networks and functions computed in the folder of the run, and in the one that it reuses."""
    reused = {} if request.reuse is None else read_known_outputs(request.reuse)
    try:
        return {**reused, **read_known_outputs(request.out)}
    except DamagedError:  # the run makes the file anew from the records, or refuses the folder
        return reused


def _at_size(data: Data, choices: Iterable[Choice]) -> list[Choice]:
    """The choices with settings for the size of the images; those that are the same there count once."""
    sized: dict[str, Choice] = {}
    for choice in choices:
        here = choice.at(data.shape)
        sized[here.label] = sized.get(here.label, here).beside(here)
    return list(sized.values())


def _samples(request: Request) -> Data:
    if request.samples is not None:
        return load_data(request.dataset, samples=request.samples)
    data = load_data(request.dataset)
    return take(data, min(request.usual, len(data)))
