"""The figure of the score against the radius of the perturbation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..drawing.canvas import PAGE, drawing, save
from ..drawing.panels import Room, make_panels
from ..few_models import few_models
from .convergence import NOT_CHECKED, NOT_CONVERGED
from .panels import CHANCE, COMMON, RAW, colour_kinds, explain, label_panels, present, room_above, score_name
from .settings import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 0.95
"""Of a panel, in inches."""

ACROSS, DOWN = 6, 8
"""Models and methods at most; different families before more of the same, and the methods with the best scores."""

READING = "solid: attacks (hollow: not converged, small: not checked), dashed: noise, dotted: chance"


@drawing()
def draw_against_eps(table: pd.DataFrame, path: Path) -> bool:
    """Draws the one score that is shown against the radius: methods down, models across, a line for each perturbation.

    Solid lines are attacks, which take steps: a hollow point has not converged, a small one has not been checked.
    Dashed lines are noise, the dotted one is the chance level. All numbers are over the samples that all models share.

    Args:
        table: rows of one data set, of :func:`.settings.with_settings`; only perturbations are drawn
            that have several radii.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    rows = headline(table)
    colours = colour_kinds(rows["kind"])
    rows = rows[rows["eps"] > 0]
    rows = rows[rows.groupby("kind")["eps"].transform("nunique") > 1]
    if rows.empty:
        return False
    models, methods = few_models(rows, ACROSS), _best(rows)
    rows = rows[rows["model"].isin(models) & rows["method"].isin(methods)]
    kinds, title = present(colours, rows), f"{score_name(rows)}: {COMMON}\n{READING}"
    figure, axes = make_panels(
        len(methods), len(models), width=PAGE, height=HEIGHT,
        room=Room(left=0.65, top=0.22 + room_above(list(kinds), title), across=0.1, down=0.1),
    )  # fmt: skip
    radii = sorted(set(rows["eps"]))
    axes[0][0].set(xscale="log", xlim=(radii[0] / 1.2, radii[-1] * 1.2), ylim=(0, 1.05))
    axes[0][0].set_xticks(_apart(radii), [f"{radius:g}" for radius in _apart(radii)])
    axes[0][0].minorticks_off()
    for axis in axes.flat:
        axis.set_autoscale_on(False)  # or each line that is drawn looks at all panels again
    for (model, method), panel in rows.groupby(["model", "method"]):
        axis = axes[methods.index(str(method))][models.index(str(model))]
        chance = panel.groupby("eps")["common_chance"].mean()
        axis.plot(chance.index, chance, **CHANCE)
        for kind, line in panel.sort_values("eps").groupby("kind"):
            _line(axis, line, colours[str(kind)])
    label_panels(axes, models, methods, "eps, pixels in [0, 1]", HEIGHT)
    explain(figure, kinds, title)
    save(figure, path)
    return True


def _best(rows: pd.DataFrame) -> list[str]:
    """The methods with the highest scores, sorted."""
    mean = rows.groupby("method")[RAW[0]].mean()
    return sorted(mean.nlargest(DOWN).index)


def _apart(radii: list[float]) -> list[float]:
    """Radii whose numbers do not touch below a panel: each at least 1.6 times the one before."""
    kept: list[float] = []
    for radius in radii:
        if not kept or radius >= 1.6 * kept[-1]:
            kept.append(radius)
    return kept


def _line(axis: Axes, line: pd.DataFrame, colour: Any) -> None:  # noqa: ANN401 - of matplotlib
    """One kind of perturbation; an attack, which takes steps, is a solid line."""
    style = "-" if line["attack"].iloc[0] else "--"
    axis.plot(line["eps"], line[RAW[0]], color=colour, linewidth=1.0, linestyle=style)
    axis.fill_between(line["eps"], line[RAW[1]], line[RAW[2]], color=colour, alpha=0.15, linewidth=0)
    for word, points in line.groupby("converged", dropna=False):
        axis.errorbar(
            points["eps"], points[RAW[0]], [points[RAW[0]] - points[RAW[1]], points[RAW[2]] - points[RAW[0]]],
            fmt="o", color=colour, elinewidth=0.7, markersize=1.4 if word == NOT_CHECKED else 2.8,
            markerfacecolor="white" if word == NOT_CONVERGED else colour,
        )  # fmt: skip
