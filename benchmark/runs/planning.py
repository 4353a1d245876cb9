"""What a request would do: data, networks and cells, those that are finished, and how long the others take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ..components import registry
from ..components.choice import Choice
from ..engine.cell import Cell
from ..engine.costs import Cost, total
from ..engine.isolation import alone
from ..engine.plan import Plan, make_cells, shard_size
from ..engine.probe import probe
from ..engine.promise import Promise, promise
from ..engine.recorded import not_of_these
from ..engine.runner import split
from ..engine.staleness import Register, computes_the_same
from ..errors import XaiboardError
from ..pictures.counterfactuals import passes_of_counterfactuals
from ..pictures.perturbed_maps import PerturbedMaps
from ..request import Request
from ..store.known_outputs import read_known_outputs, salvaged_outputs
from ..store.records import Store
from ..store.reuse import Wanted, check_reusable, reusable
from ..subjects import trained_models
from ..subjects.datasets import open_data, take
from ..subjects.examination import examined
from ..subjects.reference import reference_for
from ..toolkit.data import Data
from ..toolkit.preprocessing import Preprocessing
from ..toolkit.streamed_data import Preparation, StreamedData

PLANNING = "planning: passes are counted on a small network"
"""What a terminal shows before the first cell."""


def make_plan(request: Request, *, only_maps: bool = False, model: str = "") -> Plan:
    """What running the request would do: data and weights read, cells checked, passes of a sample counted.

    Args:
        request: what was asked for.
        only_maps: whether nothing but maps will be computed: then no passes are counted, and networks and functions
            that compute something else than is known in the run's folder are refused.
        model: name of the only network that is read, for which no passes are counted: the part of a plan that another
            process has made. Samples are those of the whole plan.

    Raises:
        XaiboardError: a mistake in the data or the weights, or nothing to run.
    """
    with alone("loading data and models"):
        data, preparation = _samples(request)
        networks = [
            trained_models.wrap_object(network, name, request.families.get(name, "own"))
            if isinstance(network, nn.Module)
            else trained_models.load(network, request.dataset, data.shape, len(data.classes))
            for name, network in request.models.items()
            if model in ("", name)
        ]
        parts = (*request.methods, *request.metrics, *request.perturbations)
        reference, no_reference = reference_for(request.dataset, parts, preparation)
        others = {
            name: trained_models.load(registry.models[name], request.dataset, data.shape, len(data.classes))
            for name in sorted({choice.other_model for choice in request.perturbations} - {""})
        }
        labels = len(data.classes) if request.conditions.target == "label" else 0
        networks = [examined(network, data[:2].x, labels) for network in networks]
    if networks and all(network.refused for network in networks):
        raise XaiboardError(f"'{networks[0].name}': {networks[0].refused}")
    register = Register(data, reference, request.conditions, known_outputs(request), strict=only_maps)
    networks = [network if network.refused else register.network(network) for network in networks]
    others = {name: register.network(other) for name, other in others.items()}
    judged = [network for network in networks if not network.refused]
    methods, metrics, perturbations = (
        [register.function(choice, judged, others) for choice in _at_size(data, choices)]
        for choices in (request.methods, request.metrics, request.perturbations)
    )
    cells = make_cells(
        request.dataset,
        data,
        networks,
        methods,
        metrics,
        perturbations,
        request.conditions,
        reference,
        others,
        no_reference,
    )
    if not cells:
        raise XaiboardError("nothing to run: no selected metric judges the selected methods or models")
    costs = probe(
        [] if only_maps or model else cells, data, reference, request.conditions, others, shard_size(data)
    )
    return Plan(request.dataset, data, reference, cells, request.conditions, costs, others, register.outputs)


def finished_cells(plan: Plan, request: Request) -> list[Cell]:
    """Cells of a plan that need not be computed: they are in the run's folder, or in the run that it reuses."""
    store = Store(request.out)
    finished, todo = split(plan, store)
    unknown = {cell.key for cell in not_of_these(finished, plan, store)}
    finished = [cell for cell in finished if cell.key not in unknown]
    if request.reuse is None:
        return finished
    check_reusable(request.reuse, plan.run_conditions)
    known = reusable(request.reuse, wanted(todo, plan, request.reuse), len(plan.shards))
    return [*finished, *(cell for cell in todo if any(each.key in known for each in cell.alternatives))]


def promise_of(plan: Plan, finished: Sequence[Cell], request: Request) -> Promise:
    """How long computing the cells that are not finished will take; each network is timed for a moment."""
    known = {cell.key for cell in finished}
    todo = [cell for cell in plan.cells if not cell.reason and cell.key not in known]
    return promise(plan, todo, request.batch_size, passes_of_pictures(plan, PerturbedMaps(plan), todo))


def passes_of_pictures(plan: Plan, maps: PerturbedMaps, todo: Sequence[Cell]) -> dict[str, Cost]:
    """Passes that pictures take by model, after the cells ``todo`` were computed."""
    parts = [passes_of_counterfactuals(plan), maps.passes({cell.key for cell in todo})]
    names = {name for part in parts for name in part}
    return {name: total(part[name] for part in parts if name in part) for name in names}


def wanted(cells: Sequence[Cell], plan: Plan, reuse: Path) -> list[Wanted]:
    """Those cells that may be taken over from another folder: networks and functions compute the same there."""
    there = read_known_outputs(reuse)
    able = [each for cell in cells for each in cell.alternatives]
    unknown = {each.key for each in not_of_these(able, plan, Store(reuse))}
    return [
        Wanted(each.key, each.columns)
        for cell in cells
        if computes_the_same(cell, plan.data, plan.outputs, there)
        for each in cell.alternatives
        if each.key not in unknown
    ]


def known_outputs(request: Request) -> dict[str, Any]:
    """What networks and functions computed in the folder of the run, and in the one that it reuses."""
    reused = {} if request.reuse is None else read_known_outputs(request.reuse)
    return {**reused, **salvaged_outputs(request.out)}


def _at_size(data: Data, choices: Iterable[Choice]) -> list[Choice]:
    """The choices with settings for the size of the images; those that are the same there count once."""
    sized: dict[str, Choice] = {}
    for choice in choices:
        here = choice.at(data.shape)
        sized[here.label] = sized.get(here.label, here).beside(here)
    return list(sized.values())


def _samples(request: Request) -> tuple[Data, Preparation | None]:
    """The samples, and how the networks want them if they lie in files and the user does not say it."""
    data = open_data(request.dataset, samples=request.samples)
    if request.samples is None:
        data = take(data, min(request.usual, len(data)))
    if not isinstance(data, StreamedData) or data.images.fixed or not (wanted := _preparation(request)):
        return data, None
    return data.prepared(wanted), wanted


def _preparation(request: Request) -> Preparation | None:
    """How the networks want images that lie in files; None if none of them says so.

    Raises:
        XaiboardError: two want them in different ways.
    """
    found = {name: getattr(model, "preprocessing", None) for name, model in request.models.items()}
    said = [(name, each) for name, each in found.items() if isinstance(each, Preprocessing)]
    for name, each in said[1:]:
        if any(
            getattr(each, part) != getattr(said[0][1], part) for part in ("size", "resize", "interpolation")
        ):
            raise XaiboardError(
                f"'{said[0][0]}' and '{name}' want images of other sizes or cuts; run them one by one, or write"
                " [side=224] after the path of the images, which cuts all of them to so many pixels"
            )
    return said[0][1] if said else None
