"""The gallery figure: images down, models and methods across."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from ..engine.batching import Batcher
from ..engine.plan import Cell, Plan
from ..engine.values import Values
from ..report.drawing import save, show_image, show_map

IMAGES = 6
"""Rows of the gallery: the first samples of the run."""


def draw_gallery(plan: Plan, path: Path) -> None:
    """Draws the attributions of the first samples; a method that fails or does not apply leaves its tiles empty.

    Red speaks for the explained class, blue against it; each map has its own scale.
    """
    from matplotlib import pyplot

    data = plan.data[:IMAGES]
    pairs = {
        (cell.model.name, cell.method.label): cell
        for cell in plan.cells
        if cell.method is not None and data.x.ndim == 4
    }
    if not pairs:
        return
    across = 1 + len(pairs)
    figure, axes = pyplot.subplots(
        len(data), across, figsize=(0.75 * across, 0.75 * len(data) + 1.2), squeeze=False,
        gridspec_kw={"wspace": 0.05, "hspace": 0.05},
    )  # fmt: skip
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image in zip(axes[:, 0], data.x, strict=True):
        show_image(axis, image.numpy())
    values: dict[str, Values] = {}
    for column, ((model, method), cell) in enumerate(pairs.items(), start=1):
        if model not in values:
            values[model] = Values(
                cell.model, data, plan.reference, plan.conditions, Batcher(None, plan.conditions.device)
            )
            axes[0][column].annotate(model, (0, 1.9), xycoords="axes fraction", fontsize=9, weight="bold")
        axes[0][column].set_title(method.replace("_", "_\n", 1) if len(method) > 10 else method, fontsize=5.5)
        for axis, tile in zip(axes[:, column], _maps(values[model], cell), strict=False):
            show_map(axis, tile)
    save(figure, path, crop=True)


def _maps(values: Values, cell: Cell) -> list[np.ndarray]:
    """Channel sums of the attributions, or nothing where the method fails."""
    if cell.method is None or (
        cell.method.component.applies and cell.method.component.applies(cell.model.module)
    ):
        return []
    try:
        attribution: Tensor = values.attribution(cell.method)
    except Exception:
        return []
    return list(attribution.sum(1).cpu().numpy())
