"""The figure of the overlap of top pixels within a window against the exact one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..drawing.canvas import PAGE, drawing, save
from ..drawing.panels import Room, make_panels
from .panels import ABOVE, CHANCE, RAW, colour_kinds, explain, present, room_above, score_name
from .settings import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^vP*X<>"
"""A marker for each family."""

READING = "A point for each model, method and perturbation; crosses and dotted lines: chance."


@drawing()
def draw_overlaps(table: pd.DataFrame, path: Path) -> bool:
    """Draws the overlap within the smallest window against the exact one: raw on the left, above chance on the right.

    A point for each model, method and perturbation; crosses and dotted lines are the chance levels.

    Args:
        table: rows of one data set, of :func:`.settings.with_settings`; nothing is drawn unless it has both scores.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    windowed = headline(table)
    exact = table[table["exact"] & (table["column"] == "")]
    rows = windowed.merge(exact, on=["model", "method", "perturbation", "k"], suffixes=("", "_exact"))
    if rows.empty or not windowed["windowed"].iloc[0]:
        return False
    colours = colour_kinds(windowed["kind"])
    markers = dict(zip(sorted(set(rows["family"])), MARKERS, strict=False))
    kinds = present(colours, rows)
    figure, ((raw, above),) = make_panels(
        1, 2, width=PAGE, height=2.7, sharex=False, sharey=False,
        room=Room(left=0.55, top=0.15 + room_above(list(kinds), READING), bottom=0.65, across=0.5),
    )  # fmt: skip
    _chances(raw, above, rows)
    for (kind, family), points in rows.groupby(["kind", "family"]):
        look: dict[str, Any] = {"marker": markers.get(str(family), "o"), "color": colours[str(kind)]}
        for axis, score in ((raw, RAW[0]), (above, ABOVE[0])):
            axis.scatter(
                points[f"{score}_exact"], points[score], s=9, alpha=0.65, linewidth=0, zorder=2, **look
            )
    for axis, title in ((raw, "raw"), (above, "above chance")):
        axis.axline((0, 0), slope=1, color="0.8", linewidth=0.8, zorder=0)
        axis.set_title(title, weight="bold", pad=3)
        axis.set_xlabel(exact["metric"].iloc[0])
    raw.set(xlim=(0, 1.02), ylim=(0, 1.02))
    lowest = min(0.0, *rows[ABOVE[0]], *rows[f"{ABOVE[0]}_exact"]) - 0.03
    above.set(xlim=(lowest, 1.02), ylim=(lowest, 1.02))
    raw.set_ylabel(score_name(windowed))
    handles = [
        above.scatter([], [], color="0.4", marker=marker, label=family) for family, marker in markers.items()
    ]
    figure.legend(handles=handles, loc="lower center", ncol=len(handles))
    explain(figure, kinds, READING)
    save(figure, path)
    return True


def _chances(raw: Axes, above: Axes, rows: pd.DataFrame) -> None:
    """The chance levels of both scores: a cross for each row, and a dotted line where all rows have the same."""
    chances = rows["common_chance_exact"], rows["common_chance"]
    raw.scatter(*chances, color="0.6", marker="x", s=8, linewidth=0.7, zorder=1)
    raw.axvline(rows["common_chance_exact"].mean(), **CHANCE)
    for line in (above.axhline, above.axvline):
        line(0, **CHANCE)
