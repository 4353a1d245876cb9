"""The gallery: the maps of a few images, methods across in blocks of eight, controls after all others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..store.maps import image_of, map_of
from .drawing import HEADING, PAGE, SMALL, TEXT
from .texts import whole_words
from .tiles import Sheet, line_height, lines_of

ACROSS = 8
"""Methods beside each other."""

IMAGES = 6
"""Images of a model at most."""

ROWS = 12
"""Rows of tiles in the picture, where there are not more models and blocks than these."""

NAMES, EDGE, GAP = 0.64, 0.05, 0.04
"""Inches: width of the models' names, margin of the picture, space between tiles."""

APART = 0.02
"""Inches between the names of two methods."""

PITCH = (PAGE - EDGE - NAMES) / (1 + ACROSS)
"""From one tile to the next, in inches."""

READING = (
    "Red speaks for the explained class, blue against it; each map has its own scale. –: the method does not apply to"
    " the model, or failed."
)


class Block(NamedTuple):
    """Methods beside each other.

    Args:
        heading: above them.
        methods: their names.
    """

    heading: str
    methods: Sequence[str]


def blocks_of(methods: Sequence[str], controls: Collection[str]) -> list[Block]:
    """The methods in blocks of about equal size, then the controls in blocks of their own."""
    parts = {
        "Methods": [name for name in methods if name not in controls],
        "Controls, which explain nothing": [name for name in methods if name in controls],
    }
    return [
        Block(heading if not place else "", [str(name) for name in some])
        for heading, names in parts.items()
        if names
        for place, some in enumerate(np.array_split(names, ceil(len(names) / ACROSS)))
    ]


def draw_gallery(
    maps: pd.DataFrame,
    images: pd.DataFrame,
    models: Sequence[str],
    controls: Collection[str],
    colours: Mapping[str, str],
    path: Path,
) -> bool:
    """Draws the maps that a run keeps of the first images of one data set.

    In each block of methods the models are below each other, with as many images each as there is room for.

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
    blocks = blocks_of(methods, controls)
    shown = images.head(max(1, min(IMAGES, ROWS // (len(blocks) * len(models)))))
    tiles = {
        (row["model"], row["method"], row["sample"]): map_of(row)
        for row in maps[maps["sample"].isin(shown["sample"])].to_dict("records")
    }
    size = TEXT if whole_words([*methods, *models], NAMES - APART, TEXT) else SMALL
    names = [lines_of(block.methods, PITCH - APART, size) for block in blocks]
    of_block = len(models) * (len(shown) * PITCH + EDGE)
    heads = [_head(block, lines) for block, lines in zip(blocks, names, strict=True)]
    sheet = Sheet(PAGE, 2 * EDGE + line_height(TEXT) + sum(heads) + len(blocks) * of_block)
    sheet.text(EDGE, EDGE, READING)
    top = EDGE + line_height(TEXT)
    for block, lines, head in zip(blocks, names, heads, strict=True):
        _name(sheet, block, lines, size, colours, top + head)
        _fill(sheet, block.methods, models, shown, tiles, size, top + head)
        top += head + of_block
    sheet.save(path)
    return True


def _head(block: Block, names: list[list[str]]) -> float:
    """Inches above the tiles of a block: its heading, and the names of its methods."""
    heading = 1.4 * line_height(HEADING) if block.heading else 0
    return heading + max(map(len, names)) * line_height(TEXT) + 3 * GAP


def _name(
    sheet: Sheet,
    block: Block,
    names: list[list[str]],
    size: float,
    colours: Mapping[str, str],
    bottom: float,
) -> None:
    """Heading and names, each above a bar in the colour of its method; the names end above the tiles."""
    top = bottom - _head(block, names)
    if block.heading:
        sheet.text(EDGE, top + 2 * GAP, block.heading, size=HEADING, weight="bold")
    for place, (method, lines) in enumerate(zip(block.methods, names, strict=True), start=1):
        left = EDGE + NAMES + place * PITCH
        above = bottom - 1.5 * GAP - len(lines) * line_height(size)
        sheet.caption(left, above, PITCH - GAP, lines, size)
        sheet.bar(left, bottom - GAP, PITCH - GAP, GAP / 2, colours[method])


def _fill(
    sheet: Sheet,
    methods: Sequence[str],
    models: Sequence[str],
    images: pd.DataFrame,
    tiles: Mapping[tuple[str, str, int], np.ndarray],
    size: float,
    top: float,
) -> None:
    """The tiles of a block: models with their images below each other."""
    side = PITCH - GAP
    for model, lines in zip(models, lines_of(models, NAMES - GAP, size), strict=True):
        for place, line in enumerate(lines):
            sheet.text(EDGE, top + place * line_height(size), line, size=size)
        for image in images.to_dict("records"):
            sheet.image(EDGE + NAMES, top, side, image_of(image))
            for place, method in enumerate(methods, start=1):
                left = EDGE + NAMES + place * PITCH
                tile = tiles.get((model, method, image["sample"]))
                if tile is None:
                    sheet.text(left + side / 2, top + side / 2, "–", ha="center", va="center", color="0.5")
                else:
                    sheet.map(left, top, side, tile)
            top += PITCH
        top += EDGE
