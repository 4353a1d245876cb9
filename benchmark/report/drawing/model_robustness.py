"""The figure of the models' robustness: accuracy that is certified, and that survives attacks, by L2 radius."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ...store.glossary import Glossary
from ...toolkit.labels import MetricColumn
from ...toolkit.roles import ATTACKED_RADIUS, CERTIFIED_RADIUS
from .canvas import COLUMN, PAGE, TEXT, drawing, save
from .panels import Line, Room, make_panels, name_lines, room_for_names
from .tiles import line_height

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = {"certified": (CERTIFIED_RADIUS, "radius", "max"), "attacked": (ATTACKED_RADIUS, "", "min")}
"""The radii that are drawn (L2, in units of ``x``, 0 where the prediction is wrong).

For each the role of its metric, the column, and which score of a sample counts where the metric ran under several
settings: the largest certificate and the nearest attack, since each holds by itself.
"""

CURVES: dict[str, tuple[Literal["-", "--"], str]] = {
    "certified": ("-", "no image within the radius changes it"),
    "attacked": ("--", "no image that was found changes it"),
}
"""Line style, and what the curve says of a prediction."""

SHADES = {"ot": "YlGnBu", "standard": "YlOrRd", "adversarial": "Greens", "regularised": "RdPu"}
OTHER = "Purples"
"""Colour map of each family, and of those that are none of these."""

ACROSS = 2
"""Families beside each other."""

NAMES = 1.5
"""Inches at most for the names beside a panel."""


def radius_columns(glossary: Glossary) -> dict[str, str]:
    """The metric columns that are drawn, as they stand in tables, by the name of their curve."""
    return {
        name: str(MetricColumn(glossary.metric_with(role), column))
        for name, (role, column, _) in COLUMNS.items()
    }


def radii(scores: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """``family, model, sample, certified, attacked`` of one data set, NaN where there is no such score."""
    keys = ["family", "model", "sample"]
    columns = {}
    for name, text in radius_columns(glossary).items():
        own = scores[scores["metric"] == text]
        columns[name] = own.groupby(keys, observed=True)["score"].agg(COLUMNS[name][2])
    return pd.DataFrame(columns).sort_index().reset_index().astype({"family": str, "model": str})


def survival(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radii, and the share of ``values`` above each of them: a step function that falls from radius 0."""
    edges = np.unique(np.append(values, 0.0))
    return edges, 1 - np.searchsorted(np.sort(values), edges, side="right") / len(values)


@drawing()
def draw_robustness(scores: pd.DataFrame, glossary: Glossary, path: Path) -> bool:
    """Draws the curves of one data set, a panel for each family, the other families' models in grey behind.

    Seeds of one training (``name``, ``name.seed1``...) have one colour and one name; a name is beside the certified
    curve, or the attacked one where there is no other.

    Args:
        scores: one row for each sample of each metric of radii, of one data set; nothing is drawn without rows.
        glossary: what the names in them stand for.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    table = radii(scores, glossary)
    if table.empty:
        return False
    present = set(table["family"])
    families = [family for family in SHADES if family in present] + sorted(present - set(SHADES))
    table = table.assign(training=table["model"].str.replace(r"\.seed\d+$", "", regex=True))
    beside = room_for_names(set(table["training"]), NAMES)
    columns = min(ACROSS, len(families))
    figure, axes = make_panels(
        ceil(len(families) / columns), columns, width=PAGE if columns > 1 else COLUMN, height=1.6,
        room=Room(left=0.5, right=beside, top=0.5, across=beside + 0.1, down=0.3),
    )  # fmt: skip
    reach = float(table[["certified", "attacked"]].max(axis=1).quantile(0.99)) or 1
    axes[0][0].set(xlim=(0, reach), ylim=(0, 1.02))
    for axis, family in zip(axes.flat, families, strict=False):
        for _, rows in table[table["family"] != family].groupby("model"):
            _draw(axis, rows, {"color": "0.85", "linewidth": 0.5})
        _fill(axis, table[table["family"] == family], family, beside)
        axis.set_title(family, fontsize=TEXT, weight="bold", loc="left", pad=3)
    for axis in axes.flat[len(families) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("accuracy within the radius")
    for axis in axes.flat[max(0, len(families) - columns) : len(families)]:
        axis.set_xlabel("L2 radius, pixels in [0, 1]")
        axis.tick_params(labelbottom=True)
    _explain(figure, [name for name in CURVES if table[name].notna().any()])
    save(figure, path)
    return True


def _fill(axis: Axes, own: pd.DataFrame, family: str, beside: float) -> None:
    """The models of a family; seeds of one training have one colour and one name."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    places = np.linspace(0.95, 0.4, own["training"].nunique())
    named = []
    for place, (training, seeds) in zip(places, own.groupby("training"), strict=True):
        look = {"color": to_hex(colormaps[SHADES.get(family, OTHER)](place)), "linewidth": 1.1}
        for _, rows in seeds.groupby("model"):
            _draw(axis, rows, look)
        values = next(seeds[name].dropna() for name in CURVES if seeds[name].notna().any())
        named.append(Line(str(training), *survival(values.to_numpy()), look))
    name_lines(axis, named, beside)


def _explain(figure: Figure, kinds: list[str]) -> None:
    """Says above the panels what a solid and a dashed line are."""
    from matplotlib.lines import Line2D

    wide, high = figure.get_size_inches()
    for place, name in enumerate(kinds):
        style, meaning = CURVES[name]
        level = 1 - (0.1 + place * line_height(TEXT)) / high
        figure.add_artist(Line2D([0.1 / wide, 0.4 / wide], [level, level], color="black", linestyle=style))
        figure.text(0.45 / wide, level, f"{name}: {meaning}", va="center")


def _draw(axis: Axes, rows: pd.DataFrame, look: dict[str, Any]) -> None:
    for name, (style, _) in CURVES.items():
        values = rows[name].dropna().to_numpy()
        if len(values):
            axis.step(*survival(values), where="post", linestyle=style, **look)
