"""The figure of the curves that some metrics have, such as the probability while pixels are erased."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..store.glossary import Glossary
from .column_names import short_names
from .drawing import save, tighten


def draw_curves(curves: pd.DataFrame, glossary: Glossary, path: Path) -> bool:
    """Draws the mean curves of one data set: models down, metrics across, a line for each method.

    Args:
        curves: ``model, method, metric, settings, perturbation, fraction, mean``; nothing is drawn without rows.
        glossary: what the names in it stand for.
        path: the PNG to write.

    Returns:
        whether it was drawn.
    """
    if curves.empty:
        return False
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    curves = curves.assign(column=short_names(curves, glossary))
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
    tighten(figure, rect=(0, 0, 1, 1 - 0.5 / figure.get_figheight()))
    save(figure, path)
    return True
