"""The figure of the score against the radius of the perturbation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .convergence import NOT_CHECKED, NOT_CONVERGED
from .panels import CHANCE, COMMON, RAW, colour_kinds, finish, label_panels, present, score_name
from .settings import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_against_eps(table: pd.DataFrame, path: Path) -> bool:
    """Draws the one score that is shown against the radius: methods down, models across, a line for each perturbation.

    Solid lines are attacks, which take steps: a hollow point has not converged, a small one has not been checked.
    Dashed lines are noise, the dotted one is the chance level. All numbers are over the samples that all models share.

    Args:
        table: rows of one data set, of :func:`.settings.with_settings`; nothing is drawn unless some perturbation has
            several radii.
        path: the PNG to write.

    Returns:
        whether it was drawn.
    """
    from matplotlib import pyplot

    rows = headline(table)
    colours = colour_kinds(rows["kind"])
    rows = rows[rows["eps"] > 0]
    if rows.empty or rows.groupby("kind")["eps"].nunique().max() < 2:
        return False
    models, methods = sorted(set(rows["model"])), sorted(set(rows["method"]))
    figure, axes = pyplot.subplots(
        len(methods), len(models), figsize=(2.3 * len(models) + 0.6, 1.9 * len(methods) + 0.5), sharex=True,
        sharey=True, squeeze=False,
    )  # fmt: skip
    radii = sorted(set(rows["eps"]))
    axes[0][0].set(xscale="log", xlim=(radii[0] / 1.2, radii[-1] * 1.2), ylim=(0, 1.02))
    axes[0][0].set_xticks(radii, [f"{radius:g}" for radius in radii])
    axes[0][0].minorticks_off()
    for axis in axes.flat:
        axis.set_autoscale_on(False)  # or each line that is drawn looks at all panels again
    for (model, method), panel in rows.groupby(["model", "method"]):
        axis = axes[methods.index(str(method))][models.index(str(model))]
        chance = panel.groupby("eps")["common_chance"].mean()
        axis.plot(chance.index, chance, **CHANCE)
        for kind, line in panel.sort_values("eps").groupby("kind"):
            _line(axis, line, colours[str(kind)])
    label_panels(axes, models, methods, "eps, pixels in [0, 1]")
    legend = "solid: attacks (hollow: not converged, small: not checked), dashed: noise, dotted: chance"
    title = f"{score_name(rows)}: {COMMON}\n{legend}"
    return finish(figure, present(colours, rows), title, path)


def _line(axis: Axes, line: pd.DataFrame, colour: Any) -> None:  # noqa: ANN401 - of matplotlib
    """One kind of perturbation; an attack, which takes steps, is a solid line."""
    style = "-" if line["attack"].iloc[0] else "--"
    axis.plot(line["eps"], line[RAW[0]], color=colour, linewidth=1.2, linestyle=style)
    axis.fill_between(line["eps"], line[RAW[1]], line[RAW[2]], color=colour, alpha=0.15, linewidth=0)
    for word, points in line.groupby("converged", dropna=False):
        axis.errorbar(
            points["eps"], points[RAW[0]], [points[RAW[0]] - points[RAW[1]], points[RAW[2]] - points[RAW[0]]],
            fmt="o", color=colour, elinewidth=0.8, markersize=1.6 if word == NOT_CHECKED else 3.2,
            markerfacecolor="white" if word == NOT_CONVERGED else colour,
        )  # fmt: skip
