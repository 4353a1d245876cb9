"""How long a run will take: counted passes times the speed of each network, and what comes on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import prod
from types import MappingProxyType

from ..toolkit.wording import counted, duration
from .calibration import Calibration
from .cell import Cell
from .costs import Cost
from .plan import Plan
from .speed import Speed

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
        afterwards: seconds for tables, figures and page after it.
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


def promise(
    plan: Plan,
    todo: Sequence[Cell],
    batch_size: int | None = None,
    pictures: Mapping[str, Cost] = MappingProxyType({}),
) -> Promise:
    """What computing some cells of a plan is expected to take; a network that was not timed before is, for a moment.

    Args:
        plan: of the run.
        todo: the cells that will be computed.
        batch_size: samples in a batch; None for a size that suits the device.
        pictures: passes that pictures take afterwards, by model.
    """
    calibration = Calibration(plan, batch_size)
    beside = PER_VALUE * prod(plan.data.shape)
    used = {cell.model.name: cell.model for cell in plan.cells if cell.model.name in pictures}
    used |= {name: cells[0].model for name, cells in _by_model(todo)}
    timed = {name: calibration.speed(model) for name, model in used.items()}
    calibration.write()
    speeds = {name: Speed(each.forward + beside, each.backward + beside) for name, each in timed.items()}
    costs = {name: plan.total(cells) for name, cells in _by_model(todo)}
    return Promise(
        cells=len(todo),
        samples=len(plan.data),
        passes=sum(cost.passes for cost in (*costs.values(), *pictures.values())),
        computing=PER_CELL * len(todo) + sum(speeds[name].seconds(cost) for name, cost in costs.items()),
        afterwards=AFTERWARDS
        + PER_ROW * len(plan.cells)
        + PER_MAPS * _maps(plan)
        + sum(speeds[name].seconds(cost) for name, cost in pictures.items()),
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


def _maps(plan: Plan) -> int:
    """How many methods there are on networks, each network by itself."""
    return len({(cell.model.name, cell.method.label) for cell in plan.cells if cell.method})


def _by_model(cells: Sequence[Cell]) -> Iterable[tuple[str, list[Cell]]]:
    for name, group in groupby(cells, key=lambda cell: cell.model.name):
        yield name, list(group)
