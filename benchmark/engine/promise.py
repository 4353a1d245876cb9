"""How long a run will take: counted passes times the speed of each network, and what comes on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod

import torch

from ..toolkit.wording import counted, duration
from .batching import Batcher
from .cell import Cell
from .plan import Plan
from .speed import Speed, measure

PER_VALUE = 1.2e-8
"""Seconds for each number of an image that is copied, erased or perturbed around a pass."""

PER_CELL = 0.012
"""Seconds that a cell takes beside its passes: what does not depend on images, and writing its record."""

AFTERWARDS, PER_ROW, PER_MAPS = 2.0, 0.006, 0.25
"""Seconds for tables and figures: of any run, for each cell, and for each method on each network, whose maps are drawn.
"""


@dataclass(frozen=True)
class Promise:
    """What a run is expected to take.

    Args:
        cells: how many there are to compute.
        samples: of each.
        passes: samples that go forward or backward.
        computing: seconds until the last cell is finished.
        afterwards: seconds for tables and figures after it.
        speeds: of the networks, by name.
    """

    cells: int
    samples: int
    passes: float
    computing: float
    afterwards: float
    speeds: Mapping[str, Speed]

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.computing + self.afterwards

    def __str__(self) -> str:
        """A sentence for the terminal."""
        work = f"{counted(self.cells, 'cell')} of {counted(self.samples, 'sample')}, {self.passes:.3g} passes"
        return (
            f"about {duration(self.seconds)}: {work}, and {duration(self.afterwards)} for tables and figures"
        )


def promise(plan: Plan, todo: Sequence[Cell], batch_size: int | None = None) -> Promise:
    """What computing some cells of a plan is expected to take; each network is timed for at most two seconds.

    A network that takes more than half a second for one image takes longer to be timed.
    """
    speeds = {name: _speed(plan, cells[0], batch_size) for name, cells in _by_model(todo)}
    costs = {name: plan.total(cells) for name, cells in _by_model(todo)}
    return Promise(
        cells=len(todo),
        samples=len(plan.data),
        passes=sum(cost.forward + cost.backward for cost in costs.values()),
        computing=PER_CELL * len(todo) + sum(speeds[name].seconds(cost) for name, cost in costs.items()),
        afterwards=AFTERWARDS + PER_ROW * len(plan.cells) + PER_MAPS * _maps(plan),
        speeds=speeds,
    )


def still(promised: float, done: float, taken: float, later: float) -> float:
    """Seconds that a run is still expected to take.

    What was computed so far says how far off the promise is; at the start, when that is little, the promise says it.

    Args:
        promised: seconds for all cells.
        done: those of them that were for what is computed.
        taken: seconds that this took.
        later: those promised for what comes after the cells.
    """
    trust = 0.1 * promised
    pace = (taken + trust) / (done + trust) if done + trust else 1.0
    return max(0.0, promised - done + later) * pace


def _speed(plan: Plan, cell: Cell, batch_size: int | None) -> Speed:
    """Seconds for a pass through the network of a cell, with what components do around it."""
    conditions = plan.conditions
    size = Batcher(batch_size, conditions.device).size
    dtype = getattr(torch, conditions.dtype)
    model = cell.model.module.to(device=conditions.device, dtype=dtype)
    found = measure(model, plan.data[:size].x.to(device=conditions.device, dtype=dtype))
    beside = PER_VALUE * prod(plan.data.shape)
    return Speed(found.forward + beside, found.backward + beside)


def _maps(plan: Plan) -> int:
    """How many methods there are on networks, each network by itself."""
    return len({(cell.model.name, cell.method.label) for cell in plan.cells if cell.method})


def _by_model(cells: Sequence[Cell]) -> Iterable[tuple[str, list[Cell]]]:
    for name, group in groupby(cells, key=lambda cell: cell.model.name):
        yield name, list(group)
