"""What the figures of attributional robustness share: colours of kinds, names of panels, what is said above them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..drawing.canvas import PAGE, TEXT
from ..drawing.palette import colours
from ..drawing.texts import text_width, wrap
from ..drawing.tiles import line_height

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RAW = ("common_mean", "common_low", "common_high")
ABOVE = ("common_above", "common_above_low", "common_above_high")
"""A score and its interval on the samples of all models, as it is and on the scale from chance to full agreement."""

COMMON = "samples that all models classify correctly and whose prediction held for all"

CHANCE = {"color": "black", "linestyle": ":", "linewidth": 0.8}
"""How chance levels are drawn."""

EDGE, MARK = 0.1, 0.25
"""Inches at the edge of the legend, and for the mark before each of its texts."""


def colour_kinds(kinds: Iterable[str]) -> dict[str, str]:
    """A colour for each kind of perturbation."""
    return colours(kinds)


def present(kinds: dict[str, str], rows: pd.DataFrame) -> dict[str, str]:
    """The colours of the kinds that are drawn, for the legend; a kind has the same one in all figures of a run."""
    return {kind: colour for kind, colour in kinds.items() if kind in set(rows["kind"])}


def score_name(rows: pd.DataFrame) -> str:
    """The score that all rows have, with its settings."""
    return f"{rows['metric'].iloc[0]}[{rows['settings'].iloc[0]}]"


def label_panels(axes: np.ndarray, columns: list[str], rows: list[str], below: str, height: float) -> None:
    """Names the columns and rows of panels that are ``height`` inches high, and what is below them."""
    wide = axes[0][0].get_position().width * PAGE
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title("\n".join(wrap(name, wide, TEXT, bold=True)), fontsize=TEXT, weight="bold", pad=3)
    for axis, name in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel("\n".join(wrap(name, height + 0.08, TEXT)))
    axes[-1][len(columns) // 2].set_xlabel(below)


def room_above(names: Sequence[str], title: str) -> float:
    """Inches that the legend of some names needs, with what is said above it."""
    rows = ceil(len(names) / _across(names))
    return (len(_said(title)) + rows) * line_height(TEXT) + 2 * EDGE


def explain(figure: Figure, kinds: dict[str, Any], title: str) -> None:
    """Says above the panels what they show, and what the colours stand for."""
    high = figure.get_figheight()
    top = high - EDGE
    for text in _said(title):
        figure.text(EDGE / PAGE, top / high, text, va="top")
        top -= line_height(TEXT)
    across = _across(list(kinds))
    rows = ceil(len(kinds) / across)
    for place, (name, colour) in enumerate(kinds.items()):
        left = EDGE + place // rows * (PAGE - EDGE) / across
        level = (top - (place % rows + 0.5) * line_height(TEXT)) / high
        figure.add_artist(_stroke(left / PAGE, (left + 0.8 * MARK) / PAGE, level, colour))
        figure.text((left + MARK) / PAGE, level, name, va="center")


def _stroke(left: float, right: float, level: float, colour: str) -> Any:  # noqa: ANN401 - of matplotlib
    from matplotlib.lines import Line2D

    return Line2D([left, right], [level, level], color=colour, linewidth=1.5)


def _across(names: Sequence[str]) -> int:
    """How many names fit beside each other."""
    widest = max(text_width(name, TEXT) for name in names) + MARK + EDGE
    return max(1, min(len(names), int((PAGE - EDGE) / widest)))


def _said(title: str) -> list[str]:
    return [line for part in title.splitlines() for line in wrap(part, PAGE - 2 * EDGE, TEXT, breaks=" ")]
