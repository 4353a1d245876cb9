"""The figure of the overlap of top pixels against its window."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..drawing.canvas import PAGE, drawing, save
from ..drawing.panels import Room, make_panels
from ..few_models import few_models
from .panels import ABOVE, CHANCE, COMMON, RAW, colour_kinds, explain, label_panels, present, room_above
from .settings import at_usual_eps, usual_eps, with_kinds

ACROSS = 6
"""Models at most; different families before more of the same."""

HEIGHT = 1.3
"""Of a panel, in inches."""


@drawing()
def draw_against_window(table: pd.DataFrame, path: Path) -> bool:
    """Draws the overlap of top pixels against the window, raw above and above chance below, models across.

    Each perturbation of the usual radius, or without one, is a line: the mean over methods. The grey band holds the
    chance levels of the methods. Window 0 is the exact overlap.

    Args:
        table: rows of one data set, of :func:`.settings.with_settings`; nothing is drawn unless it has several windows.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    rows = with_kinds(_windows(table))
    if rows["window"].nunique() < 2:
        return False
    name = rows.loc[rows["windowed"], "metric"].iloc[0]
    colours = colour_kinds(rows["kind"])
    rows = at_usual_eps(rows)
    models = few_models(rows, ACROSS)
    rows = rows[rows["model"].isin(models)]
    radius = "" if rows["eps"].isna().all() else f" at eps {usual_eps(rows):g}"
    title = f"{name}{radius}: mean over methods; dotted: chance, from its lowest to its highest\n{COMMON}"
    kinds = present(colours, rows)
    figure, axes = make_panels(
        2, len(models), width=PAGE, height=HEIGHT, sharey="row",
        room=Room(left=0.5, top=0.22 + room_above(list(kinds), title), across=0.1, down=0.12),
    )  # fmt: skip
    for model, panel in rows.groupby("model"):
        column = axes[:, models.index(str(model))]
        chance = panel.groupby("window")["common_chance"].agg(["mean", "min", "max"])
        column[0].plot(chance.index, chance["mean"], **CHANCE)
        column[0].fill_between(chance.index, chance["min"], chance["max"], color="0.88", linewidth=0)
        column[1].axhline(0, **CHANCE)
        for kind, line in panel.groupby("kind"):
            for axis, score in zip(column, (RAW[0], ABOVE[0]), strict=True):
                mean = line.groupby("window")[score].mean()
                axis.plot(mean.index, mean, color=colours[str(kind)], linewidth=1.0, marker=".", markersize=3)
    windows = sorted(set(rows["window"]))
    axes[0][0].set(ylim=(0, 1.05), xticks=windows, xlim=(windows[0] - 0.3, windows[-1] + 0.3))
    label_panels(axes, models, ["recall", "above chance"], "window, pixels", HEIGHT)
    explain(figure, kinds, title)
    save(figure, path)
    return True


def _windows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of both overlaps at the smallest ``k`` that the windowed one ran with; the exact one has window 0."""
    rows = table[(table["windowed"] | table["exact"]) & (table["column"] == "") & table["clean"]]
    rows = rows[rows["k"] == rows.loc[rows["windowed"], "k"].min()].fillna({"window": 0.0})
    return rows.astype({"window": int}).drop_duplicates(["model", "method", "perturbation", "window"])
