"""The curves figure: what a metric says from its first to its last point, each method a line, each model a row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .column_names import short_names
from .drawing import save


def draw_curves(curves: pd.DataFrame, path: Path) -> None:
    """Draws the mean curves of one data set: models down, metric columns across.

    Args:
        curves: ``model, method, metric, settings, perturbation, fraction, mean``.
        path: the PNG to write.
    """
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    curves = curves.assign(column=short_names(curves))
    models, columns = sorted(set(curves["model"])), sorted(set(curves["column"]))
    methods = sorted(set(curves["method"]))
    colours = {
        method: pyplot.get_cmap("tab10" if len(methods) <= 10 else "tab20")(i)
        for i, method in enumerate(methods)
    }
    figure, axes = pyplot.subplots(
        len(models), len(columns), figsize=(2.6 * len(columns), 2.0 * len(models) + 0.9), sharex=True, sharey="col",
        squeeze=False,
    )  # fmt: skip
    for (model, column, method), line in curves.groupby(["model", "column", "method"], sort=True):
        axis = axes[models.index(str(model))][columns.index(str(column))]
        axis.plot(line["fraction"], line["mean"], color=colours[str(method)], linewidth=1.2, label=method)
    for axis, column in zip(axes[0], columns, strict=True):
        axis.set_title(column, fontsize=8)
    for axes_row, model in zip(axes, models, strict=True):
        axes_row[0].set_ylabel(model, fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel("fraction of the steps", fontsize=8)
    handles = [Line2D([], [], color=colour, label=method) for method, colour in colours.items()]
    figure.legend(handles=handles, loc="upper center", ncol=min(len(methods), 8), fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.5 / figure.get_figheight()))
    save(figure, path)
