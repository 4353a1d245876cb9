"""The figure of many effects, each with its intervals against the margin that was declared for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .canvas import PAGE, SMALL, TEXT, drawing, save
from .texts import shorten, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, HEAD = 0.19, 0.45
"""Inches of a row, and above the first with the room below the last."""

NUMBERS = 2.3
"""Inches for the numbers beside a row."""


class Row(NamedTuple):
    """One effect.

    Args:
        name: beside it.
        numbers: on its other side.
        effect: in any unit.
        narrow: bounds of its own interval.
        wide: of the interval that holds for all rows together.
        margin: one value, or two between which the effect is claimed to be.
        colour: of the verdict.
    """

    name: str
    numbers: str
    effect: float
    narrow: tuple[float, float]
    wide: tuple[float, float]
    margin: tuple[float, ...]
    colour: str


@drawing()
def draw_forest(rows: Sequence[Row], colours: dict[str, str], path: Path) -> None:
    """Draws the rows below each other, each in its own scale, in which the margin is in the middle.

    Args:
        rows: from the top.
        colours: what each colour means.
        path: the file to write.
    """
    from matplotlib import pyplot

    height = HEAD + ROW * len(rows)
    beside = min(max(text_width(row.name, TEXT) for row in rows) + 0.15, PAGE / 2)
    figure, axis = pyplot.subplots(figsize=(PAGE, height))
    figure.subplots_adjust(
        left=beside / PAGE, right=1 - NUMBERS / PAGE, top=1 - 0.3 / height, bottom=0.15 / height
    )
    axis.axvline(0, color="0.6", linewidth=0.6, zorder=0)
    axis.set(xlim=(-1.05, 1.05), ylim=(len(rows) - 0.4, -0.6), xticks=[])
    axis.set_yticks(range(len(rows)), [shorten(row.name, beside - 0.1, TEXT) for row in rows])
    axis.tick_params(length=0)
    for place, row in enumerate(rows):
        _draw(axis, place, row)
        axis.text(1.1, place, shorten(row.numbers, NUMBERS - 0.1, SMALL), va="center", fontsize=SMALL)
    for side in axis.spines.values():
        side.set_visible(False)
    start = 0.0
    for word, colour in colours.items():
        figure.text((0.1 + start) / PAGE, 1 - 0.12 / height, word, color=colour, weight="bold", va="center")
        start += text_width(word, TEXT, bold=True) + 0.15
    save(figure, path)


def _draw(axis: Axes, place: int, row: Row) -> None:
    middle = sum(row.margin) / len(row.margin)
    reach = np.nanmax(np.abs(np.array([*row.narrow, *row.wide, *row.margin, row.effect]) - middle)) or 1

    def at(value: float) -> float:
        return (value - middle) / reach

    axis.plot([at(value) for value in row.wide], [place, place], color=row.colour, linewidth=0.8)
    axis.plot([at(value) for value in row.narrow], [place, place], color=row.colour, linewidth=2.2)
    axis.plot([at(row.effect)], [place], marker="o", markersize=3.5, color=row.colour)
    if len(row.margin) > 1:
        axis.plot([at(bound) for bound in row.margin], [place, place], "|", color="0.4", markersize=7)
