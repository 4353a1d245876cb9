"""Tells finished cells whose records are of what their networks and functions compute now from all others.

``run.json`` may be lost, or be that of another run. So each record is bound to what its network, and functions given as
objects, computed: its provenance has digests of these numbers, which stand in files beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..store.damage import DamagedError
from ..store.known_outputs import part_digest, part_files, part_path, read_part, salvaged_outputs
from ..store.records import Store
from ..toolkit.progress import say
from .cell import Cell
from .plan import Plan
from .staleness import computes_the_same, names_of


def bound_to(cell: Cell, plan: Plan) -> list[str]:
    """What the provenance of a cell's records says of what its network and functions compute."""
    return sorted(part_digest(name, outputs) for name, outputs in _computed_by(cell, plan).items())


def not_of_these(cells: Iterable[Cell], plan: Plan, store: Store) -> list[Cell]:
    """Those cells with records that are not known to be of what their networks and functions compute now.

    Records without a digest, as version 0.2 and earlier ones wrote them, are none of them: it is only said of them.

    Args:
        cells: of the plan.
        plan: with what they compute now.
        store: with the records, those of the run itself or of another one.

    Raises:
        DamagedError: what is known is not as it was written.
    """
    parts = {path: read_part(path) for path in part_files(store)}
    known, found = salvaged_outputs(store.folder), []
    for cell in cells:
        wanted = _computed_by(cell, plan)
        for provenance, sealed in _provenances(cell, plan, store) if wanted else ():
            if "outputs" in provenance:
                named = (part_path(store, digest) for digest in provenance["outputs"])
                there = dict(parts[path] for path in named if path in parts)
                right = wanted.keys() <= there.keys() and computes_the_same(cell, plan.data, wanted, there)
            else:
                right = not sealed or wanted.keys() <= known.keys()
            if not right:
                found.append(cell)
                break
    return found


def set_unknown_aside(finished: Sequence[Cell], plan: Plan, store: Store) -> list[Cell]:
    """Keeps records under other names that are :func:`not_of_these`; returns their cells, which are computed anew."""
    unknown = not_of_these(finished, plan, store)
    for cell in unknown:
        store.set_record_aside(cell.key)
    if unknown:
        say(
            f"{len(unknown)} finished cells are not known to be of what their networks and functions compute now: they"
            " are computed anew, and their records are kept as NAME.unknown"
        )
    return unknown


def _computed_by(cell: Cell, plan: Plan) -> dict[str, Mapping[str, Any]]:
    """The outputs of a cell's networks and functions, as far as they are known, by what computed them."""
    names = names_of(cell, plan.data) & plan.outputs.keys()
    return {name: plan.outputs[name] for name in names}


def _provenances(cell: Cell, plan: Plan, store: Store) -> Iterator[tuple[dict[str, Any], bool]]:
    """The provenance of each record of a cell; none of those that cannot be read: who reads them says so."""
    for shard in range(len(plan.shards)):
        if store.has(cell.key, shard):
            try:
                yield store.provenance(cell.key, shard)
            except DamagedError:
                return
