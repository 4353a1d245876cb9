"""What the figures of attributional robustness share: colours of kinds, names of panels, the legend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..drawing import save, tighten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RAW = ("common_mean", "common_low", "common_high")
ABOVE = ("common_above", "common_above_low", "common_above_high")
"""A score and its interval on the samples of all models, as it is and on the scale from chance to full agreement."""

COMMON = "samples that all models classify correctly and whose prediction held for all"

CHANCE = {"color": "black", "linestyle": ":", "linewidth": 1}
"""How chance levels are drawn."""


def colour_kinds(kinds: Iterable[str]) -> dict[str, Any]:
    """A colour for each kind of perturbation."""
    from matplotlib import pyplot

    names = sorted(set(kinds))
    cycle = pyplot.get_cmap("tab10" if len(names) <= 10 else "tab20")
    return {name: cycle(place % cycle.N) for place, name in enumerate(names)}


def present(colours: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """The colours of the kinds that are drawn, for the legend; a kind has the same one in all figures of a run."""
    return {kind: colour for kind, colour in colours.items() if kind in set(rows["kind"])}


def score_name(rows: pd.DataFrame) -> str:
    """The score that all rows have, with its settings."""
    return f"{rows['metric'].iloc[0]}[{rows['settings'].iloc[0]}]"


def label_panels(axes: np.ndarray, columns: list[str], rows: list[str], below: str) -> None:
    """Names the columns and rows of panels, and what is below them."""
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(name, fontsize=9)
    for axis, name in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(name, fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel(below, fontsize=8)
    for axis in axes.flat:
        axis.tick_params(labelsize=7)


def finish(figure: Figure, colours: dict[str, Any], title: str, path: Path) -> bool:
    """Names the colours above the panels, and saves."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    across = max(1, int(figure.get_figwidth() / 2.6))
    tighten(figure)
    figure.legend(
        handles=handles, title=title, title_fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1),
        ncol=min(len(handles), across), fontsize=8, frameon=False,
    )  # fmt: skip
    save(figure, path, crop=True)
    return True
