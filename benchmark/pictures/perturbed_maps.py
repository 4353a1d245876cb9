"""The gallery of perturbed maps: an image and its map, the perturbed copy and its map, and the top pixels of both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..engine.batching import Batcher
from ..engine.plan import Cell, Plan
from ..engine.values import Values
from ..report.drawing import save, show_image, show_map
from ..toolkit.top_pixels import dilate, top_pixels

IMAGES = 4
"""Rows: the first samples of the run."""

MODELS = 3
"""Models across: the first of each family."""

COLOURS = {
    "neither, near the first set": "#d3d8e4",
    "first set alone": "#6f94c9",
    "both sets": "#1b1b1b",
    "second set alone, near the first": "#57a65b",
    "second set alone, far from it": "#d8442f",
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
    images with those of perturbed ones; a model on which something fails leaves its tiles empty.
    """
    from matplotlib import pyplot
    from matplotlib.patches import Patch

    cells = _cells(plan)
    if not cells or plan.data.x.ndim != 4:
        return
    data = plan.data[:IMAGES]
    k, window = _sets(plan)
    tiles = [1.0] * 5 + [0.25]  # the last one parts the models
    figure, axes = pyplot.subplots(
        len(data), len(tiles) * len(cells), figsize=(0.95 * sum(tiles) * len(cells), 1.12 * len(data) + 0.6),
        squeeze=False, gridspec_kw={"wspace": 0.08, "hspace": 0.3, "width_ratios": tiles * len(cells)},
    )  # fmt: skip
    for axis in axes.flat:
        axis.set_axis_off()
    for cell, block in zip(cells, np.split(axes, len(cells), axis=1), strict=True):
        block[0][0].annotate(cell.model.name, (0, 1.3), xycoords="axes fraction", fontsize=9, weight="bold")
        batcher = Batcher(None, plan.conditions.device)
        values = Values(cell.model, data, plan.reference, plan.conditions, batcher, others=plan.others)
        try:
            _fill(block[:, :-1], _compare(values, cell), k, window)
        except Exception:  # noqa: S112 - the run has told what a component raises
            continue
    label = cells[0].row["perturbation"]
    figure.legend(
        handles=[Patch(color=colour, label=name) for name, colour in COLOURS.items()], fontsize=7, frameon=False,
        title=f"{cells[0].row['method']} under {label}; sets of {k:g} pixels, window {window}", title_fontsize=8,
        loc="lower center", bbox_to_anchor=(0.5, 0.98), ncol=2 * len(cells),
    )  # fmt: skip
    save(figure, path, crop=True)


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


def _fill(axes: np.ndarray, found: Comparison, k: float, window: int) -> None:
    """One model's tiles, a row for each sample."""
    for axis, title in zip(axes[0], ("image", "map", "perturbed", "its map", "top pixels"), strict=True):
        axis.set_title(title, fontsize=7)
    one, other = (
        top_pixels(a, k, "the gallery").pixels for a in (found.attribution, found.perturbed_attribution)
    )
    near = dilate(one, window)
    for row, tiles in enumerate(axes):
        show_image(tiles[0], found.x[row].numpy())
        show_map(tiles[1], found.attribution[row].sum(0).numpy())
        show_image(tiles[2], found.perturbed_x[row].numpy())
        show_map(tiles[3], found.perturbed_attribution[row].sum(0).numpy())
        tiles[4].imshow(_painted(one[row] > 0, other[row] > 0, near[row] > 0))
        recall, share = ((other[row] * wide).sum() / other[row].sum() for wide in (near[row], one[row]))
        change = (found.perturbed_x[row] - found.x[row]).abs().amax()
        _captions(
            tiles[[2, 4]],
            (
                f"L∞ {change:.2g}" + ("" if found.held[row] else ", class changed"),
                f"LENS {recall:.2f}, top-k {share:.2f}",
            ),
        )


def _painted(one: Tensor, other: Tensor, near: Tensor) -> np.ndarray:
    """Both sets and the surroundings of the first, bool ``(H, W)``, in the ``COLOURS``, RGB ``(H, W, 3)``."""
    from matplotlib.colors import to_rgb

    kinds = (near & ~one & ~other, one & ~other, one & other, other & ~one & near, other & ~near)
    picture = np.ones((*one.shape, 3))
    for kind, colour in zip(kinds, COLOURS.values(), strict=True):
        picture[kind.numpy()] = to_rgb(colour)
    return picture


def _captions(axes: np.ndarray, texts: Sequence[str]) -> None:
    for axis, text in zip(axes, texts, strict=True):
        axis.text(0.5, -0.04, text, transform=axis.transAxes, ha="center", va="top", fontsize=6)
