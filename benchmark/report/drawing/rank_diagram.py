"""The critical-difference diagram: methods along their mean rank, bars join those that are not told apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .canvas import HEADING, PAGE, TEXT, drawing
from .texts import shorten, wrap
from .tiles import Sheet, line_height

EDGE, NAMES = 0.05, 1.75
"""Inches: margin of the picture, and width of the names at either side."""

BAR, ROW = 0.055, line_height(TEXT)
"""Inches from one bar to the next, and from one name to the next."""

READING = (
    "Mean rank, 1 is best, over those plain columns of one family of metrics that pass their controls. A bar joins"
    " methods of which none is beyond doubt better than another in more than half of these columns. Grey: controls."
)
"""Above the picture; Demšar 2006, Statistical Comparisons of Classifiers over Multiple Data Sets, draws ranks so."""


class MeanRanks(NamedTuple):
    """The methods of one model, the best first.

    Args:
        model: its name.
        family: of the metrics.
        columns: names of these.
        methods: those that have a rank in all of these columns.
        rank: their mean ranks, ``(M,)``.
        apart: whether one of two methods is beyond doubt better in more than half of the columns, ``(M, M)``.
    """

    model: str
    family: str
    columns: list[str]
    methods: list[str]
    rank: np.ndarray
    apart: np.ndarray


@drawing()
def draw_ranks(
    found: Sequence[MeanRanks], colours: Mapping[str, str], controls: Collection[str], path: Path
) -> bool:
    """Draws the mean ranks of the methods, one model below the other.

    Args:
        found: of each model; nothing is drawn without one.
        colours: of the methods.
        controls: methods that explain nothing.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    if not found:
        return False
    lines = wrap(READING, PAGE - 2 * EDGE, TEXT, breaks=" ")
    heights = [_height(one) for one in found]
    sheet = Sheet(PAGE, 2 * EDGE + len(lines) * ROW + sum(heights))
    for place, line in enumerate(lines):
        sheet.text(EDGE, EDGE + place * ROW, line)
    top = EDGE + len(lines) * ROW
    for one, height in zip(found, heights, strict=True):
        _draw(sheet, one, colours, controls, top)
        top += height
    sheet.save(path)
    return True


HEAD = 1.6 * line_height(HEADING) + 3 * ROW
"""Inches above the axis: the model, the columns, and the numbers."""


def _levels(runs: Sequence[tuple[int, int]]) -> list[int]:
    """A level for each bar, so that no two on a level touch."""
    ends: list[int] = []
    levels = []
    for first, last in runs:
        level = next((at for at, end in enumerate(ends) if end < first), len(ends))
        ends[level:] = [last, *ends[level + 1 :]]
        levels.append(level)
    return levels


def _height(one: MeanRanks) -> float:
    bars = max(_levels(cliques(one.apart)), default=-1) + 1
    return HEAD + bars * BAR + (1.5 + (len(one.methods) + 1) // 2) * ROW


def _draw(
    sheet: Sheet, one: MeanRanks, colours: Mapping[str, str], controls: Collection[str], top: float
) -> None:
    sheet.text(EDGE, top + 0.5 * ROW, one.model, size=HEADING, weight="bold")
    columns = f"{one.family}: {', '.join(one.columns)}"
    sheet.text(EDGE, top + 0.6 * ROW + line_height(HEADING), shorten(columns, PAGE - 2 * EDGE, TEXT))
    axis = top + HEAD
    worst = int(np.ceil(one.rank.max()))
    width = PAGE - 2 * (EDGE + NAMES)
    at = EDGE + NAMES + width * (one.rank - 1) / max(worst - 1, 1)
    sheet.line([EDGE + NAMES, PAGE - EDGE - NAMES], [axis, axis], color="black", linewidth=0.8)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if worst <= 12 * step)
    for rank in (1, *range(step if step > 1 else 2, worst + 1, step)):
        across = EDGE + NAMES + width * (rank - 1) / max(worst - 1, 1)
        sheet.line([across, across], [axis - 0.05, axis], color="black", linewidth=0.8)
        sheet.text(across, axis - 0.07, str(rank), ha="center", va="bottom")
    runs = cliques(one.apart)
    levels = _levels(runs)
    for (first, last), level in zip(runs, levels, strict=True):
        below = axis + 0.06 + level * BAR
        sheet.line([at[first] - 0.02, at[last] + 0.02], [below] * 2, color="black", linewidth=2)
    names = axis + (max(levels, default=-1) + 1) * BAR + 1.2 * ROW
    half = (len(one.methods) + 1) // 2
    for place, method in enumerate(one.methods):
        left = place < half
        level = names + (place if left else len(one.methods) - 1 - place) * ROW
        end = EDGE + NAMES - 0.05 if left else PAGE - EDGE - NAMES + 0.05
        look = {"color": colours[method], "linewidth": 0.8, "zorder": 1}
        sheet.line([at[place], at[place], end], [axis, level, level], **look)
        number = f"{one.rank[place]:.1f}"
        name = shorten(method, NAMES - 0.35, TEXT)
        text = f"{name}  {number}" if left else f"{number}  {name}"
        side = "right" if left else "left"
        shade = "0.4" if method in controls else "black"
        sheet.text(end - 0.03 if left else end + 0.03, level, text, va="center", color=shade, ha=side)


def cliques(apart: np.ndarray) -> list[tuple[int, int]]:
    """The longest runs of neighbours of which no two are told apart, as first and last place; of two at least.

    Args:
        apart: whether two methods are told apart, in their order, ``(M, M)``.
    """
    runs: list[tuple[int, int]] = []
    for first in range(len(apart)):
        last = first
        while last + 1 < len(apart) and not apart[first : last + 1, last + 1].any():
            last += 1
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs
