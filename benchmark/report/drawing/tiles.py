"""Sheets of small pictures: images, signed maps and texts, each at a place in inches from the upper left corner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .canvas import TEXT, drawing, save
from .texts import wrap

LARGE = 64 * 64
"""Pixels of a map from which on a few of them do not set its scale."""

LINE = 1.22
"""Height of a line of text, as a multiple of the size of its font."""


def line_height(size: float) -> float:
    """Inches from one line of text to the next."""
    return LINE * size / 72


class Sheet:
    """A figure on which everything is placed by hand, so that nothing lies on anything else.

    Args:
        width: in inches.
        height: in inches.
    """

    @drawing()
    def __init__(self, width: float, height: float) -> None:
        from matplotlib import pyplot

        self.figure = pyplot.figure(figsize=(width, height))
        self.axis = self.figure.add_axes((0, 0, 1, 1))
        self.axis.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)
        self.axis.set_axis_off()

    def image(self, left: float, top: float, side: float, values: np.ndarray) -> None:
        """An image ``(C, H, W)`` in ``[0, 1]`` in a square: three channels are colours, of others the mean is shown."""
        shown = values.transpose(1, 2, 0).clip(0, 1) if len(values) == 3 else values.mean(0)
        self._place(left, top, side, shown, cmap="gray", vmin=0, vmax=1)

    def map(self, left: float, top: float, side: float, values: np.ndarray) -> None:
        """A signed map ``(H, W)`` in a square, on its own scale: red above zero, blue below; see :func:`in_sight`."""
        values, bound = in_sight(values)
        self._place(left, top, side, values, cmap="RdBu_r", vmin=-bound, vmax=bound)

    def colours(self, left: float, top: float, side: float, values: np.ndarray) -> None:
        """A picture ``(H, W, 3)`` in ``[0, 1]`` in a square."""
        self._place(left, top, side, values)

    def text(self, left: float, top: float, text: str, *, size: float = TEXT, **look: Any) -> None:  # noqa: ANN401
        """One line of text, from its upper left corner unless ``look`` says otherwise."""
        self.axis.text(left, top, text, **{"fontsize": size, "va": "top", **look})

    def line(self, x: Sequence[float], y: Sequence[float], **look: Any) -> None:  # noqa: ANN401
        """A line through points."""
        self.axis.plot(x, y, **{"solid_capstyle": "butt", **look})

    def bar(self, left: float, top: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle."""
        from matplotlib.patches import Rectangle

        self.axis.add_patch(Rectangle((left, top), width, height, facecolor=colour, linewidth=0))

    def caption(self, left: float, top: float, side: float, lines: list[str], size: float) -> None:
        """Lines of text, centred on a square of that side."""
        for place, line in enumerate(lines):
            self.text(left + side / 2, top + place * line_height(size), line, size=size, ha="center")

    def save(self, path: Path) -> None:
        """Writes the sheet, and closes it."""
        save(self.figure, path)

    def _place(self, left: float, top: float, side: float, values: np.ndarray, **look: Any) -> None:  # noqa: ANN401
        high, wide = np.array(values.shape[:2]) * (side / max(values.shape[:2]))
        left, top = left + (side - wide) / 2, top + (side - high) / 2
        self.axis.imshow(values, extent=(left, left + wide, top + high, top), aspect="auto", **look)


def in_sight(values: np.ndarray) -> tuple[np.ndarray, float]:
    """A map ``(H, W)`` as it is shown, and the magnitude that has the full colour.

    That is its largest magnitude. Of a large map, in which a few pixels of a gradient are many times the others, it is
    the 99th percentile, so that one pixel of a hundred has the full colour; and a large map whose values all have one
    sign, as those of RISE, is shown from its smallest magnitude on, which is white.
    """
    magnitudes = np.abs(values)
    if values.size < LARGE:
        return values, float(magnitudes.max()) or 1.0
    if values.min() > 0 or values.max() < 0:
        values = values - np.sign(values) * magnitudes.min()
        magnitudes = np.abs(values)
    return values, float(np.quantile(magnitudes, 0.99)) or float(magnitudes.max()) or 1.0


def lines_of(names: Sequence[str], width: float, size: float, *, most: int = 4) -> list[list[str]]:
    """Each name in lines of at most that width; of a name with more than ``most`` lines the last ends in ``…``."""
    found = []
    for name in names:
        lines = wrap(name, width, size)
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
        found.append(lines)
    return found
