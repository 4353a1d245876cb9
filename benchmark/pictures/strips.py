"""Strips of tiles with captions: one for each model and image, models below each other, two strips side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

from ..report.drawing.canvas import HEADING, PAGE, TEXT
from ..report.drawing.texts import shorten, wrap
from ..report.drawing.tiles import Sheet, line_height

ACROSS = 2
"""Strips beside each other."""

EDGE, GAP, BETWEEN = 0.05, 0.05, 0.25
"""Inches: margin of the picture, space between tiles, space between strips."""


class Tile(NamedTuple):
    """One tile of a strip.

    Args:
        show: draws it on a sheet, from left, top and side in inches.
        caption: lines below it.
    """

    show: Callable[[Sheet, float, float, float], None]
    caption: Sequence[str] = ()


def draw_strips(
    titles: Sequence[str],
    strips: dict[str, list[list[Tile]]],
    reading: str,
    legend: dict[str, str],
    path: Path,
) -> None:
    """Draws the strips of each model below its name.

    Args:
        titles: of the tiles of a strip.
        strips: by what is said of their model, a strip for each image; each has as many tiles as there are titles.
        reading: how the picture is read, above all.
        legend: colours and what they mean, below that.
        path: the file to write.
    """
    wide = (PAGE - 2 * EDGE - BETWEEN * (ACROSS - 1)) / ACROSS
    pitch = (wide + GAP) / len(titles)
    line = line_height(TEXT)
    below = max(len(tile.caption) for some in strips.values() for strip in some for tile in strip)
    row = pitch + below * line + GAP
    heading = 1.8 * line_height(HEADING) + line
    lines = wrap(reading, PAGE - 2 * EDGE, TEXT, breaks=" ")
    head = (len(lines) + bool(legend)) * line + GAP
    rows = [ceil(len(some) / ACROSS) for some in strips.values()]
    sheet = Sheet(PAGE, 2 * EDGE + head + len(strips) * heading + sum(rows) * row)
    top = EDGE
    for text in lines:
        sheet.text(EDGE, top, text)
        top += line
    _explain(sheet, legend, top)
    top = EDGE + head
    for (name, some), count in zip(strips.items(), rows, strict=True):
        sheet.text(EDGE, top + 0.5 * line_height(HEADING), name, size=HEADING, weight="bold")
        for place, strip in enumerate(some):
            left = EDGE + place % ACROSS * (wide + BETWEEN)
            start = top + heading + place // ACROSS * row
            if place < ACROSS:
                for at, title in enumerate(titles):
                    sheet.caption(left + at * pitch, start - line, pitch - GAP, [title], TEXT)
            for at, tile in enumerate(strip):
                tile.show(sheet, left + at * pitch, start, pitch - GAP)
                texts = [shorten(text, pitch - GAP, TEXT) for text in tile.caption]
                sheet.caption(left + at * pitch, start + pitch - 0.6 * GAP, pitch - GAP, texts, TEXT)
        top += heading + count * row
    sheet.save(path)


def _explain(sheet: Sheet, legend: dict[str, str], top: float) -> None:
    """Squares of the colours in one line, each before what it means."""
    side = 0.75 * line_height(TEXT)
    for place, (meaning, colour) in enumerate(legend.items()):
        left = EDGE + place * (PAGE - EDGE) / len(legend)
        sheet.bar(left, top + 0.02, side, side, colour)
        sheet.text(left + 1.4 * side, top, meaning)
