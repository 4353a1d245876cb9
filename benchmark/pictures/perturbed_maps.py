"""The gallery of perturbed maps: an image and its map, the perturbed copy and its map, and the top pixels of both."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..engine.batching import Batcher
from ..engine.costs import Cost
from ..engine.plan import Cell, Plan
from ..engine.values import Values
from ..report.drawing.tiles import Sheet
from ..toolkit.top_pixels import dilate, top_pixels
from .strips import Tile, draw_strips

IMAGES = 4
"""The first samples of the run."""

MODELS = 3
"""Models below each other: the first of each family."""

COLOURS = {
    "near the first": "#dfe3ec",
    "first alone": "#56a5e0",
    "both": "#1b1b1b",
    "second, near the first": "#009e73",
    "second, far from it": "#d55e00",
}
"""Pixels of the last tile. The first set is the top pixels of the image's map, the second those of its copy's map."""


class Comparison(NamedTuple):
    """What is drawn of ``N`` samples.

    Args:
        x: images, ``(N, C, H, W)``.
        perturbed_x: their perturbed copies.
        attribution: maps of the images.
        perturbed_attribution: maps of the copies, for the same classes.
        held: whether the prediction stays, bool ``(N,)``.
    """

    x: Tensor
    perturbed_x: Tensor
    attribution: Tensor
    perturbed_attribution: Tensor
    held: Tensor


class PerturbedMaps:
    """The gallery of a run: the strongest perturbation on the first samples, of the first method on some models.

    The strongest is an attack if there is one, at the largest ``eps``; there is a model of each family. Images and maps
    are those that the scores were computed from, as far as they were computed now.

    Args:
        plan: of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._data = plan, plan.data[:IMAGES]
        self._cells = _cells(plan) if len(plan.data.shape) == 3 else []
        self._found: dict[str, Comparison | None] = {}

    def passes(self, todo: Collection[str]) -> dict[str, Cost]:
        """Passes that it takes, by model, if the cells with the keys ``todo`` are computed before."""
        costs = {
            cell.model.name: self._plan.costs.alone(cell) for cell in self._cells if cell.key not in todo
        }
        return {model: cost * len(self._data) for model, cost in costs.items() if cost}

    def take(self, values: Values, cell: Cell) -> None:
        """Takes what a cell was computed from, if it is drawn; ``values`` may be those of any samples."""
        drawn = any(cell is each for each in self._cells) and cell.model.name not in self._found
        if drawn and list(values.ids[: len(self._data)]) == list(self._data.ids):
            self._found[cell.model.name] = _compare(values, cell, len(self._data))

    def draw(self, paths: Sequence[Path]) -> None:
        """Draws the gallery to some files; nothing where the run compares no maps with those of perturbed images.

        A model on which something fails is left out.
        """
        k, window = _sets(self._plan)
        strips = {}
        for cell in self._cells:
            if cell.model.name not in self._found:
                self._found[cell.model.name] = _compare(self._values(cell), cell, len(self._data))
            if found := self._found[cell.model.name]:
                with suppress(Exception):  # the run has told what a component raises
                    strips[cell.model.name] = _strips(found, k, window)
        if not strips:
            return
        method, label = self._cells[0].row["method"], self._cells[0].row["perturbation"]
        reading = (
            f"Maps of {method} under {label}. L∞: largest change of a pixel; *: the prediction changed. Last: the {k:g}"
            " top pixels of both maps"
            f" (first: of the image's map, second: of its copy's) and the surroundings of the first, window {window};"
            " LENS and top-k: the overlap."
        )
        titles = ("image", "map", "perturbed", "its map", "top pixels")
        for path in paths:
            draw_strips(titles, strips, reading, COLOURS, path)

    def _values(self, cell: Cell) -> Values:
        plan = self._plan
        batcher = Batcher(None, plan.conditions.device)
        return Values(cell.model, self._data, plan.reference, plan.conditions, batcher, others=plan.others)


def _cells(plan: Plan) -> list[Cell]:
    """A cell of the strongest perturbation and the first method, for the first model of each family."""
    compared = [
        cell
        for cell in plan.cells
        if not cell.reason
        and cell.method is not None
        and not cell.method.component.control
        and cell.perturbation is not None
        and cell.metric.needs("perturbed_attribution")
    ]
    first: dict[str, Cell] = {}
    if compared:
        strongest = max(compared, key=_strength)  # of equals the first
        for cell in compared:
            if cell.method == strongest.method and cell.perturbation == strongest.perturbation:
                first.setdefault(cell.model.family, cell)
    return list(first.values())[:MODELS]


def _strength(cell: Cell) -> tuple[bool, float]:
    """Whether the perturbation is an attack, which takes steps, and how far it may go."""
    settings = cell.perturbation.settings if cell.perturbation else {}
    eps = settings.get("eps")
    return "steps" in settings, eps if isinstance(eps, float) else 0.0


def _sets(plan: Plan) -> tuple[float, int]:
    """How many pixels a set has, and the window: of the first metric that has both, or a tenth of the pixels and 1."""
    for cell in plan.cells:
        k, window = cell.metric.settings.get("k"), cell.metric.settings.get("window")
        if isinstance(k, float) and isinstance(window, int) and window:
            return k, window
    return 0.1, 1


def _compare(values: Values, cell: Cell, images: int) -> Comparison | None:
    """The first images, perturbed and explained as the cell says; None if something raises, as the run has told."""
    perturbation, method = cell.perturbation, cell.method
    if perturbation is None or method is None:
        raise ValueError("a cell of two maps has a method and a perturbation")
    first = slice(images)
    try:
        found = (
            values.images[first], values.perturbed_x(perturbation, method, first), values.attribution(method, first),
            values.perturbed_attribution(perturbation, method, first), values.held(perturbation, method)[first],
        )  # fmt: skip
    except Exception:
        return None
    return Comparison(*(value.to("cpu", copy=True) for value in found))


def _strips(found: Comparison, k: float, window: int) -> list[list[Tile]]:
    """For each sample the image, its map, the copy, its map, and the top pixels of both."""
    one, other = (
        top_pixels(a, k, "the gallery").pixels for a in (found.attribution, found.perturbed_attribution)
    )
    near = dilate(one, window)
    strips = []
    for row in range(len(found.x)):
        recall, share = ((other[row] * wide).sum() / other[row].sum() for wide in (near[row], one[row]))
        change = (found.perturbed_x[row] - found.x[row]).abs().amax()
        painted = _painted(one[row] > 0, other[row] > 0, near[row] > 0)
        held = "" if found.held[row] else " *"
        strips.append(
            [
                Tile(partial(Sheet.image, values=found.x[row].numpy())),
                Tile(partial(Sheet.map, values=found.attribution[row].sum(0).numpy())),
                Tile(partial(Sheet.image, values=found.perturbed_x[row].numpy()), [f"L∞ {change:.2g}{held}"]),
                Tile(partial(Sheet.map, values=found.perturbed_attribution[row].sum(0).numpy())),
                Tile(partial(Sheet.colours, values=painted), [f"LENS {recall:.2f}", f"top-k {share:.2f}"]),
            ]
        )
    return strips


def _painted(one: Tensor, other: Tensor, near: Tensor) -> np.ndarray:
    """Both sets and the surroundings of the first, bool ``(H, W)``, in the ``COLOURS``, RGB ``(H, W, 3)``."""
    from matplotlib.colors import to_rgb

    kinds = (near & ~one & ~other, one & ~other, one & other, other & ~one & near, other & ~near)
    picture = np.ones((*one.shape, 3))
    for kind, colour in zip(kinds, COLOURS.values(), strict=True):
        picture[kind.numpy()] = to_rgb(colour)
    return picture
