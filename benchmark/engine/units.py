"""Splits a plan into units of work for several processes, by what its cells cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from itertools import groupby

from .cell import Cell
from .plan import Plan
from .promise import PER_CELL
from .runner import portions
from .speed import Speed

PER_UNIT = 0.5
"""Seconds that a unit takes beside its cells: a process reads data and network."""

UNSURE = 0.25
"""Share of the longest unit for which processes are expected to wait at the end, since promises are not exact."""

FINEST = 8
"""Units for each process, more than which are not tried."""


@dataclass(frozen=True)
class Unit:
    """Cells of one model on some shards, which one process computes.

    Args:
        cells: of one model, sorted by method.
        rows: shards, or all samples.
        seconds: that it is promised to take.
    """

    cells: tuple[Cell, ...]
    rows: tuple[slice, ...]
    seconds: float

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.cells[0].model.name


class Splitter:
    """Splits a plan.

    Args:
        plan: with the passes of its cells.
        speeds: of the networks by name, for one process.
    """

    def __init__(self, plan: Plan, speeds: Mapping[str, Speed]) -> None:
        self._plan, self._speeds = plan, speeds

    def split(self, todo: Sequence[Cell], slots: int) -> list[Unit]:
        """Units that so many processes compute in the least time, the longest first.

        The longest unit is halved again and again, by shards where it has several, which costs nothing, else by
        methods, where both halves compute what methods share. Of all splits on the way that counts which ends first.
        """
        units = self._whole(todo)
        best, least = units, _seconds(units, slots)
        while len(units) < FINEST * slots:
            halves = self._halves(units[0])
            if not halves:
                break
            units = sorted([*halves, *units[1:]], key=lambda unit: -unit.seconds)
            if (found := _seconds(units, slots)) < least:
                best, least = units, found
        return best

    def unit(self, cells: Sequence[Cell], rows: Sequence[slice]) -> Unit:
        """The unit of these cells on these samples."""
        plan, speed = self._plan, self._speeds[cells[0].model.name]
        samples = sum(each.stop - each.start for each in rows)
        passing = speed.seconds(plan.total(cells)) * samples / len(plan.data)
        return Unit(tuple(cells), tuple(rows), passing + PER_UNIT + PER_CELL * len(cells) * len(rows))

    def _whole(self, todo: Sequence[Cell]) -> list[Unit]:
        """A unit for each model, and one for those of its metrics that are called once with all samples."""
        found: dict[tuple[str, ...], tuple[Sequence[Cell], list[slice]]] = {}
        for rows, cells in portions(self._plan, todo):
            found.setdefault(tuple(cell.key for cell in cells), (cells, []))[1].append(rows)
        return sorted((self.unit(*each) for each in found.values()), key=lambda unit: -unit.seconds)

    def _halves(self, unit: Unit) -> list[Unit]:
        """A unit in two parts that take as long as each other, as far as possible; none if it has no parts."""
        if (middle := len(unit.rows) // 2) > 0:
            return [self.unit(unit.cells, rows) for rows in (unit.rows[:middle], unit.rows[middle:])]
        methods = [
            list(cells)
            for _, cells in groupby(unit.cells, key=lambda cell: cell.method and cell.method.label)
        ]
        pairs = [
            [self.unit([cell for method in part for cell in method], unit.rows) for part in (before, after)]
            for cut in range(1, len(methods))
            for before, after in [(methods[:cut], methods[cut:])]
        ]
        return min(pairs, key=lambda pair: max(half.seconds for half in pair), default=[])


def _seconds(units: Sequence[Unit], slots: int) -> float:
    """Until so many processes have computed all units, each of which goes to the process that is free first."""
    busy = [0.0] * slots
    heapify(busy)
    for unit in units:
        heapreplace(busy, busy[0] + unit.seconds)
    return max(busy) + UNSURE * max((unit.seconds for unit in units), default=0.0)
