"""Panels in rows and columns, laid out in inches, and lines that bear their names at their ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .canvas import TEXT
from .texts import shorten, spread, text_width
from .tiles import line_height

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDED_APART = 0.5
"""Lines end apart where their last values spread at least this share of what they do where they spread the most."""


class Room(NamedTuple):
    """Inches around panels: at the edges of the figure, and between two panels."""

    left: float = 0.45
    right: float = 0.1
    top: float = 0.25
    bottom: float = 0.4
    across: float = 0.15
    down: float = 0.3


def make_panels(
    rows: int,
    columns: int,
    *,
    width: float,
    height: float,
    room: Room,
    sharex: bool = True,
    sharey: bool | Literal["row"] = True,
) -> tuple[Figure, np.ndarray]:
    """A figure ``width`` inches wide with panels ``height`` inches high, ``(rows, columns)``."""
    from matplotlib import pyplot

    wide = (width - room.left - room.right - (columns - 1) * room.across) / columns
    high = room.top + room.bottom + rows * height + (rows - 1) * room.down
    return pyplot.subplots(
        rows, columns, figsize=(width, high), squeeze=False, sharex=sharex,
        sharey=sharey,
        gridspec_kw={
            "left": room.left / width, "right": 1 - room.right / width,
            "bottom": room.bottom / high, "top": 1 - room.top / high,
            "wspace": room.across / wide, "hspace": room.down / height,
        },
    )  # fmt: skip


STROKE, SPACE = 0.13, 0.03
"""Inches: the piece of a line before its name, and the space around it."""


def room_for_names(names: Iterable[str], most: float) -> float:
    """Inches to the right of a panel that names of lines need, or ``most``."""
    return min(most, max((text_width(name, TEXT) for name in names), default=0) + STROKE + 3 * SPACE)


class Line(NamedTuple):
    """A line that is named.

    Args:
        name: said beside the panel.
        x: ascending, ``(n,)``.
        y: ``(n,)``.
        look: colour and style, as matplotlib takes them.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    look: dict[str, Any]


def name_lines(axis: Axes, lines: Sequence[Line], room: float) -> None:
    """Writes the names of lines to the right of their panel, each after a piece of its line.

    A name is as high as the line's end or, where the lines end close to each other, as the line is where they are
    farthest apart; names that would lie on each other are pushed apart.

    Args:
        axis: the panel, with its limits set.
        lines: those that are named.
        room: inches to the right of the panel; longer names are shortened.
    """
    if not lines:
        return
    box = axis.get_window_extent()
    wide, high = np.array([box.width, box.height]) / axis.figure.dpi
    low, top = axis.get_ylim()
    wanted = (_heights(lines, axis.get_xlim()) - low) / (top - low) * high
    order = np.argsort(wanted, kind="stable")
    gap = line_height(TEXT)
    places = spread(wanted[order], gap, gap / 2, high - gap / 2)
    for place, at in zip(places, order, strict=True):
        line = lines[at]
        across = [1 + SPACE / wide, 1 + (SPACE + STROKE) / wide]
        axis.plot(across, [place / high] * 2, transform=axis.transAxes, clip_on=False, **line.look)
        name = shorten(line.name, room - STROKE - 2 * SPACE, TEXT)
        axis.text(
            1 + (2 * SPACE + STROKE) / wide, place / high, name, transform=axis.transAxes, va="center",
            fontsize=TEXT, color=line.look["color"] if _is_grey(line.look["color"]) else "black",
        )  # fmt: skip


def _is_grey(colour: str) -> bool:
    return colour[1:3] == colour[3:5] == colour[5:7]


def _heights(lines: Sequence[Line], reach: tuple[float, float]) -> np.ndarray:
    """Where each line is at the end, or where the lines are farthest apart if they end close to each other."""
    at = np.linspace(*reach, 50)
    values = np.array([np.interp(at, line.x, line.y) for line in lines])
    apart = np.ptp(values, axis=0)
    return values[:, -1 if apart[-1] >= ENDED_APART * apart.max() else int(apart.argmax())]
