"""The gallery figure: methods across, and below each other the models, each with a few images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..engine.batching import Batcher
from ..engine.cell import Cell
from ..engine.plan import Plan
from ..engine.values import Values
from ..report.drawing import save, show_image, show_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES = 3
"""Rows of each model: the first samples of the run."""

TILE = 0.75
"""Side of a tile, in inches."""


def draw_gallery(plan: Plan, path: Path) -> None:
    """Draws the attributions of the first samples; a method that fails or does not apply leaves its tiles empty.

    Red speaks for the explained class, blue against it; each map has its own scale. Nothing is drawn unless the run
    explains images.
    """
    from matplotlib import pyplot

    cells = {
        (cell.model.name, cell.method.label): cell
        for cell in plan.cells
        if cell.method is not None and plan.data.x.ndim == 4
    }
    if not cells:
        return
    models, methods = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    data = plan.data[:IMAGES]
    rows = len(models) * (len(data) + 1)  # an empty one above each model holds its name
    heights = ([0.35] + [1.0] * len(data)) * len(models)
    figure, axes = pyplot.subplots(
        rows, 1 + len(methods), figsize=(TILE * (1 + len(methods)), TILE * sum(heights) + 0.6), squeeze=False,
        gridspec_kw={"wspace": 0.05, "hspace": 0.05, "height_ratios": heights},
    )  # fmt: skip
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, method in zip(axes[0, 1:], methods, strict=True):
        axis.text(0, 1.4, method, transform=axis.transAxes, fontsize=7, rotation=30, ha="left", va="bottom")
    for model, block in zip(models, np.split(axes, len(models)), strict=True):
        block[0][0].text(0, 0.1, model, transform=block[0][0].transAxes, fontsize=9, weight="bold")
        for axis, image in zip(block[1:, 0], data.x, strict=True):
            show_image(axis, image.numpy())
        known = {label: cell for (name, label), cell in cells.items() if name == model}
        values = Values(
            next(iter(known.values())).model, data, plan.reference, plan.conditions,
            Batcher(None, plan.conditions.device),
        )  # fmt: skip
        for column, method in enumerate(methods, start=1):
            if method in known:
                _fill(list(block[1:, column]), _maps(values, known[method]))
    save(figure, path, crop=True)


def _fill(axes: Iterable[Axes], tiles: Sequence[np.ndarray]) -> None:
    for axis, tile in zip(axes, tiles, strict=False):
        show_map(axis, tile)


def _maps(values: Values, cell: Cell) -> list[np.ndarray]:
    """Channel sums of the attributions, or nothing where the method does not apply or fails."""
    if cell.method is None or cell.method.reason_against(values.model):
        return []
    try:
        attribution = values.attribution(cell.method)
    except Exception:  # the run has told what a component raises
        return []
    return list(attribution.sum(1).cpu().numpy())
