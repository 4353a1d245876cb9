"""The figure of the curves that some metrics have, such as the probability while pixels are erased."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .canvas import COLUMN, HEADING, PAGE, TEXT, drawing, save
from .panels import Line, Room, make_panels, name_lines, room_for_names
from .texts import wrap
from .tiles import line_height

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEST, CONTROLS = 4, 2
"""How many methods, and how many controls, are drawn bold and named: those with the best ranks."""

NAMES = 1.3
"""Inches at most for the names beside a panel."""

READING = (
    f"In each panel the {BEST} methods and {CONTROLS} controls (grey) with the best ranks bear their names."
)


@drawing()
def draw_curves(
    curves: pd.DataFrame,
    models: Sequence[str],
    looks: Mapping[str, dict[str, Any]],
    controls: Collection[str],
    path: Path,
) -> bool:
    """Draws mean curves of one data set: metrics down, models across; the best methods of each panel bear their names.

    Args:
        curves: points ``model, method, heading, fraction, mean, rank``: the heading is of a row of panels, the rank of
            the method there; nothing is drawn without points.
        models: those that are shown.
        looks: of the methods' lines, as matplotlib takes them.
        controls: methods that explain nothing.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    if curves.empty:
        return False
    models = [name for name in models if name in set(curves["model"])]
    headings = sorted(set(curves["heading"]))
    beside = room_for_names(set(curves["method"]), NAMES)
    width = COLUMN if len(models) == 1 else PAGE
    reading = wrap(READING, width - 0.1, TEXT, breaks=" ")
    figure, axes = make_panels(
        len(headings), len(models), width=width, height=1.0, sharey="row",
        room=Room(0.35, beside, 0.42, 0.42 + len(reading) * line_height(TEXT), beside + 0.05, 0.22),
    )  # fmt: skip
    for row, heading in zip(axes, headings, strict=True):
        shown = curves[curves["heading"] == heading]
        row[0].set_title(heading, fontsize=TEXT, loc="left", pad=3)
        panels = [shown[shown["model"] == model] for model in models]
        low, high = shown["mean"].min(), shown["mean"].max()
        room = 0.05 * (high - low or 1)
        row[0].set(xlim=(0, 1), ylim=(low - room, high + room), xticks=(0, 0.5, 1))
        for axis, panel in zip(row, panels, strict=True):
            _fill(axis, panel, looks, controls, beside)
    _write_around(axes, models, reading)
    save(figure, path)
    return True


def _write_around(axes: Any, models: Sequence[str], reading: Sequence[str]) -> None:  # noqa: ANN401 - an array of axes
    """Names of the models above, what is across below."""
    figure = axes[0][0].figure
    above = 1 - 0.05 / figure.get_figheight()
    for axis, model in zip(axes[0], models, strict=True):
        figure.text(
            axis.get_position().x0, above, model, fontsize=HEADING, weight="bold", va="top", ha="left"
        )
    axes[-1][0].set_xlabel("fraction of the steps")
    figure.text(0.05 / figure.get_figwidth(), 0.05 / figure.get_figheight(), "\n".join(reading), va="bottom")


def _fill(
    axis: Axes,
    panel: pd.DataFrame,
    looks: Mapping[str, dict[str, Any]],
    controls: Collection[str],
    beside: float,
) -> None:
    """The lines of one panel: the best ones bold and named, the others thin."""
    ranks = panel.drop_duplicates("method").set_index("method")["rank"].dropna().astype(int)
    ranks = ranks.sort_values(kind="stable")
    is_control = ranks.index.isin(list(controls))
    named = [*ranks.index[~is_control][:BEST], *ranks.index[is_control][:CONTROLS]]
    lines = {
        str(method): Line(
            str(method), line["fraction"].to_numpy(), line["mean"].to_numpy(), looks[str(method)]
        )
        for method, line in panel.groupby("method", sort=True)
    }
    for method, line in lines.items():
        if method not in named:
            axis.plot(line.x, line.y, **{**line.look, "linewidth": 0.5, "alpha": 0.35})
    for method in reversed(named):  # the best one lies above all others
        axis.plot(lines[method].x, lines[method].y, **lines[method].look)
    name_lines(axis, [lines[method] for method in named], beside)
