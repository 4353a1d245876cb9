"""The gallery: the maps of a few images, eight methods a row at most, controls after all others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...store.maps import image_of, map_of
from .canvas import HEADING, PAGE, SMALL, TEXT
from .texts import text_width, whole_words
from .tiles import Sheet, line_height, lines_of

ACROSS = 8
"""Methods beside each other."""

IMAGES = 6
"""Images of a model at most."""

ROWS = 12
"""Rows of tiles in the picture, where there are not more models and rows of methods than these."""

NAMES, EDGE, GAP = 0.6, 0.05, 0.04
"""Inches: width of the models' names, margin of the picture, space between tiles."""

APART = 0.015
"""Inches between the names of two methods."""

PITCH = (PAGE - EDGE - NAMES) / (1 + ACROSS)
"""From one tile to the next, in inches."""

READING = (
    "Red speaks for the explained class, blue against it; each map has its own scale. –: the method does not apply to"
    " the model, or failed."
)


CONTROLS = "Controls, which explain nothing"
"""The heading above controls."""

SHORT = {CONTROLS: "Controls"}
"""Headings where there is little room."""


class Block(NamedTuple):
    """Methods beside each other.

    Args:
        heading: above them.
        methods: their names.
        place: of the first among the tiles of its row, from 1; the image has place 0.
    """

    heading: str
    methods: list[str]
    place: int = 1


def rows_of(methods: Sequence[str], controls: Collection[str]) -> list[list[Block]]:
    """The methods in rows of about equal length, then the controls: below, or beside the last methods."""
    judged = _parted("Methods", [name for name in methods if name not in controls])
    grey = _parted(CONTROLS, [name for name in methods if name in controls])
    if judged and len(grey) == 1 and len(judged[-1].methods) + 1 + len(grey[0].methods) <= ACROSS:
        beside = grey[0]._replace(place=len(judged[-1].methods) + 2)
        return [*([block] for block in judged[:-1]), [judged[-1], beside]]
    return [[block] for block in (*judged, *grey)]


def _parted(heading: str, names: Sequence[str]) -> list[Block]:
    parts = np.array_split(np.array(names, dtype=object), ceil(len(names) / ACROSS)) if names else []
    return [Block("" if place else heading, list(some)) for place, some in enumerate(parts)]


def draw_gallery(
    maps: pd.DataFrame,
    images: pd.DataFrame,
    models: Sequence[str],
    controls: Collection[str],
    colours: Mapping[str, str],
    path: Path,
) -> bool:
    """Draws the maps that a run keeps of the first images of one data set.

    In each row of methods the models are below each other, with as many images each as there is room for.

    Args:
        maps: rows of :func:`.store.maps.read_maps`, of one data set; nothing is drawn unless they are of images.
        images: rows of :func:`.store.maps.read_images`, of the same.
        models: those that are shown.
        controls: methods that explain nothing.
        colours: of the methods.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    maps = maps[maps["model"].isin(list(models))]
    images = images[(images["height"] > 1) & images["sample"].isin(maps["sample"])]
    if images.empty:
        return False
    methods = [name for name in colours if name in set(maps["method"])]
    rows = rows_of(methods, controls)
    shown = images.head(max(1, min(IMAGES, ROWS // (len(rows) * len(models)))))
    tiles = {
        (row["model"], row["method"], row["sample"]): map_of(row)
        for row in maps[maps["sample"].isin(shown["sample"])].to_dict("records")
    }
    size = TEXT if whole_words(methods, PITCH - APART, TEXT) else SMALL
    names = dict(zip(methods, lines_of(methods, PITCH - APART, size), strict=True))
    heads = [max(_head(block, names) for block in row) for row in rows]
    of_row = len(models) * (len(shown) * PITCH + EDGE)
    sheet = Sheet(PAGE, 2 * EDGE + line_height(TEXT) + sum(heads) + len(rows) * of_row)
    sheet.text(EDGE, EDGE, READING)
    top = EDGE + line_height(TEXT)
    for row, head in zip(rows, heads, strict=True):
        top += head
        _fill(sheet, models, shown, top)
        for block in row:
            _name(sheet, block, names, size, colours, top)
            _draw(sheet, block, models, shown, tiles, top)
        top += of_row
    sheet.save(path)
    return True


def _left(place: int) -> float:
    """Where a tile begins, in inches."""
    return EDGE + NAMES + place * PITCH


def _head(block: Block, names: Mapping[str, list[str]]) -> float:
    """Inches above the tiles of a block: its heading, and the names of its methods."""
    heading = 1.4 * line_height(HEADING) if block.heading else 0
    return heading + max(len(names[method]) for method in block.methods) * line_height(TEXT) + 3 * GAP


def _name(
    sheet: Sheet,
    block: Block,
    names: Mapping[str, list[str]],
    size: float,
    colours: Mapping[str, str],
    bottom: float,
) -> None:
    """Heading and names, each above a bar in the colour of its method; the names end above the tiles."""
    top = bottom - _head(block, names)
    if block.heading:
        left = _left(block.place) if block.place > 1 else EDGE
        fits = text_width(block.heading, HEADING, bold=True) <= PAGE - EDGE - left
        heading = block.heading if fits else SHORT.get(block.heading, block.heading)
        sheet.text(left, top + 2 * GAP, heading, size=HEADING, weight="bold")
    for place, method in enumerate(block.methods, start=block.place):
        lines = names[method]
        above = bottom - 1.5 * GAP - len(lines) * line_height(size)
        sheet.caption(_left(place), above, PITCH - GAP, lines, size)
        sheet.bar(_left(place), bottom - GAP, PITCH - GAP, GAP / 2, colours[method])


def _fill(sheet: Sheet, models: Sequence[str], images: pd.DataFrame, top: float) -> None:
    """The names of the models and, beside each, the images below each other."""
    size = TEXT if whole_words(models, NAMES - GAP, TEXT) else SMALL
    for lines in lines_of(models, NAMES - GAP, size):
        for place, line in enumerate(lines):
            sheet.text(EDGE, top + place * line_height(size), line, size=size)
        for image in images.to_dict("records"):
            sheet.image(_left(0), top, PITCH - GAP, image_of(image))
            top += PITCH
        top += EDGE


def _draw(
    sheet: Sheet,
    block: Block,
    models: Sequence[str],
    images: pd.DataFrame,
    tiles: Mapping[tuple[str, str, int], np.ndarray],
    top: float,
) -> None:
    """The maps of a block: those of each model and image below each other."""
    side = PITCH - GAP
    for model in models:
        for sample in images["sample"]:
            for place, method in enumerate(block.methods, start=block.place):
                tile = tiles.get((model, method, sample))
                if tile is None:
                    middle = _left(place) + side / 2, top + side / 2
                    sheet.text(*middle, "–", ha="center", va="center", color="0.5")
                else:
                    sheet.map(_left(place), top, side, tile)
            top += PITCH
        top += EDGE
