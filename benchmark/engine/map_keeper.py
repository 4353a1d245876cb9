"""Keeps the maps of a run's first samples: those that the scores were computed from, and the rest at the end."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..components.choice import Choice
from ..errors import message, warn
from ..store.kept import Explained, Kept
from ..store.maps import IDENTITY
from ..store.record import identity_digest
from ..store.small_maps import small_image, small_map
from ..toolkit.progress import Bar, moving
from .applies import reason_on
from .batching import Batcher
from .cell import Cell
from .plan import Plan
from .values import Values


class Keeper(Protocol):
    """Keeps something of what cells are computed from."""

    def take(self, values: Values, cell: Cell) -> None:
        """Is called once for each computed cell, while its values are there."""


class MapKeeper:
    """Collects a small copy of each map of the first samples, for every model and method of a plan.

    Args:
        plan: whose maps are kept.
        samples: of how many samples.
        batch_size: samples in a batch; None for a size that suits the device.
        folder: on whose disk maps are for which there is no room in memory; None to keep all in memory.

    Attributes:
        identities: what could change the maps of each model and method, as a digest.
    """

    def __init__(
        self, plan: Plan, samples: int, batch_size: int | None = None, folder: Path | None = None
    ) -> None:
        self._plan, self._data, self._batch_size, self._folder = plan, plan.data[:samples], batch_size, folder
        self._ids = frozenset(self._data.ids)
        self._cells: dict[Explained, list[Cell]] = {}
        for cell in plan.cells:
            if cell.method is not None:
                self._cells.setdefault(explained(cell, cell.method), []).append(cell)
        self.identities = {pair: _identity(plan, cells[0]) for pair, cells in self._cells.items()}
        self._rows: dict[Explained, dict[int, dict[str, Any]]] = {pair: {} for pair in self._cells}
        self._failed: set[Explained] = set()

    @property
    def kept(self) -> Kept:
        """The maps so far, and the images of all samples."""
        maps = [
            {**dict(zip(("dataset", "model", "method"), pair, strict=True)), "sample": sample, **row}
            | {IDENTITY: self.identities[pair]}
            for pair, rows in self._rows.items()
            for sample, row in rows.items()
        ]
        images = [
            {"dataset": self._plan.dataset, "sample": sample, **small_image(x.numpy())}
            for sample, x in zip(self._data.ids, chain.from_iterable(self._data.pieces()), strict=True)
        ]
        return Kept.of(maps, images)

    @property
    def rows(self) -> Mapping[Explained, Mapping[int, dict[str, Any]]]:
        """The maps so far by sample, for each model and method that has some."""
        return {pair: rows for pair, rows in self._rows.items() if rows}

    def add(self, rows: Mapping[Explained, Mapping[int, dict[str, Any]]]) -> None:
        """Keeps the :attr:`rows` of another process, too."""
        for pair, of_pair in rows.items():
            self._rows[pair].update(of_pair)

    def take(self, values: Values, cell: Cell) -> None:
        """Keeps the maps of a cell's method, where they are at hand; ``values`` may be those of any samples."""
        if cell.method is not None and values.has_attribution(cell.method):
            self._keep(values, cell, cell.method)

    def complete(self, known: Kept, *, progress: bool) -> None:
        """Computes the maps that are neither taken nor known; those of a method that fails or is refused stay out.

        Args:
            known: what earlier runs kept; maps of another identity do not count.
            progress: whether to show a bar.
        """
        there = {pair: set(rows) for pair, rows in self._rows.items()}
        for row in known.right(self.identities).maps.to_dict("records"):
            there.setdefault((row["dataset"], row["model"], row["method"]), set()).add(row["sample"])
        todo = [
            next((cell for cell in cells if not cell.reason), cells[0])
            for pair, cells in self._cells.items()
            if pair not in self._failed and not self._ids <= there[pair]
        ]
        todo = [cell for cell in todo if self._applies(cell)]
        maps = len(todo) * len(self._data)
        with moving(Bar(total=maps, unit="map", desc="maps", disable=not progress or not todo)) as bar:
            for _, of_model in groupby(todo, key=lambda cell: cell.model.name):
                cells = list(of_model)
                for shard in self._plan.shards:
                    if shard.start < len(self._data):
                        self._compute(cells, slice(shard.start, min(shard.stop, len(self._data))), bar)

    def _applies(self, cell: Cell) -> bool:
        """Whether the method is right on the model, also where no metric applies."""
        if not cell.reason:
            return True
        first = self._plan.data[:1]
        return not (
            cell.model.refused
            or cell.method is None
            or reason_on(cell.method, cell.model.module, first.x, first.label)
        )

    def _compute(self, cells: list[Cell], rows: slice, bar: Bar) -> None:
        plan = self._plan
        batcher = Batcher(self._batch_size, plan.conditions.device)
        data = plan.data.part(rows)
        values = Values(cells[0].model, data, plan.reference, plan.conditions, batcher, folder=self._folder)
        values.check_network("a component of this run")
        for cell in cells:
            if cell.method is not None:
                if failure := self._keep(values, cell, cell.method):
                    warn(f"no maps of '{cell.method.label}' on '{cell.model.name}': {failure}")
                values.memo.forget(cell.method.label)
            bar.update(rows.stop - rows.start)

    def _keep(self, values: Values, cell: Cell, method: Choice) -> str:
        """Keeps the maps of a method for the first samples among those of ``values``; why it cannot, or nothing."""
        pair = explained(cell, method)
        rows = self._rows[pair]
        places = {sample: place for place, sample in enumerate(values.ids) if sample in self._ids}
        if pair in self._failed or places.keys() <= rows.keys():
            return ""
        try:
            values.require_network()
            first = values.attribution(method, slice(max(places.values()) + 1))
            maps = first[list(places.values())].cpu().numpy()
            own = not (method.component.built_in and method.root.component.built_in)
            values.check_network(f"method '{method.component.name}'" if own else "")
            values.require_network()
        except Exception as error:  # a component may raise anything
            self._failed.add(pair)
            rows.clear()
            return message(error)
        small = {sample: small_map(attribution) for sample, attribution in zip(places, maps, strict=True)}
        rows.update({sample: row for sample, row in small.items() if np.isfinite(row["scale"])})
        return ""


def explained(cell: Cell, method: Choice) -> Explained:
    """Whose maps a cell judges."""
    return cell.dataset, cell.model.name, method.label


def _identity(plan: Plan, cell: Cell) -> str:
    """Digest of what could change the maps of a cell's method: what identifies the cell, less what judges the maps."""
    reference = plan.reference if cell.method and cell.method.needs("reference") else None
    parts = {name: part for name, part in cell.identity.items() if name != "other_model"}
    judged = {"metric": None, "perturbation": None, "reference": reference.digest if reference else ""}
    return identity_digest({**parts, **judged})
