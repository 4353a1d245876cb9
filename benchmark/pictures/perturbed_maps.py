"""The gallery of perturbed maps: an image and its map, the perturbed copy and its map, and the top pixels of both."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..engine.batching import Batcher
from ..engine.plan import Cell, Plan
from ..engine.values import Values
from ..report.tiles import Sheet
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


def draw_robustness_gallery(plan: Plan, path: Path) -> None:
    """Draws the strongest perturbation of a run on its first samples: the first method, a model of each family.

    The strongest is an attack if there is one, at the largest ``eps``. Nothing is drawn unless the run compares maps of
    images with those of perturbed ones; a model on which something fails is left out.
    """
    cells = _cells(plan)
    if not cells or len(plan.data.shape) != 3:
        return
    data = plan.data[:IMAGES]
    k, window = _sets(plan)
    strips = {}
    for cell in cells:
        batcher = Batcher(None, plan.conditions.device)
        values = Values(cell.model, data, plan.reference, plan.conditions, batcher, others=plan.others)
        try:
            strips[cell.model.name] = _strips(_compare(values, cell), k, window)
        except Exception:  # noqa: S112 - the run has told what a component raises
            continue
    if strips:
        method, label = cells[0].row["method"], cells[0].row["perturbation"]
        reading = (
            f"Maps of {method} under {label}. L∞: largest change of a pixel; *: the prediction changed. Last: the {k:g}"
            " top pixels of both maps"
            f" (first: of the image's map, second: of its copy's) and the surroundings of the first, window {window};"
            " LENS and top-k: the overlap."
        )
        titles = ("image", "map", "perturbed", "its map", "top pixels")
        draw_strips(titles, strips, reading, COLOURS, path)


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


def _compare(values: Values, cell: Cell) -> Comparison:
    """Perturbs and explains the images as the cell says."""
    perturbation, method = cell.perturbation, cell.method
    if perturbation is None or method is None:
        raise ValueError("a cell of two maps has a method and a perturbation")
    found = (
        values.x, values.perturbed_x(perturbation, method), values.attribution(method),
        values.perturbed_attribution(perturbation, method), values.held(perturbation, method),
    )  # fmt: skip
    return Comparison(*(value.cpu() for value in found))


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
