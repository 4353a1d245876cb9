"""The figure of the models' robustness: accuracy that is certified, and that survives attacks, by L2 radius."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ..store.glossary import Glossary
from ..toolkit.labels import MetricColumn
from ..toolkit.roles import ATTACKED_RADIUS, CERTIFIED_RADIUS
from .drawing import save, tighten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
"""Colour map of each family; other families share the greys."""


def radii(scores: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """``family, model, sample, certified, attacked`` of one data set, NaN where there is no such score."""
    keys = ["family", "model", "sample"]
    columns = {}
    for name, (role, column, best) in COLUMNS.items():
        own = scores[scores["metric"] == str(MetricColumn(glossary.metric_with(role), column))]
        columns[name] = own.groupby(keys, observed=True)["score"].agg(best)
    return pd.DataFrame(columns).sort_index().reset_index().astype({"family": str, "model": str})


def survival(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radii, and the share of ``values`` above each of them: a step function that falls from radius 0."""
    edges = np.unique(np.append(values, 0.0))
    return edges, 1 - np.searchsorted(np.sort(values), edges, side="right") / len(values)


def draw_robustness(scores: pd.DataFrame, glossary: Glossary, path: Path) -> bool:
    """Draws the curves of one data set, a panel for each family, the other families' models in grey behind.

    Seeds of one training (``name``, ``name.seed1``...) have one colour and one name.

    Args:
        scores: rows of ``scores.parquet`` of one data set; nothing is drawn without radii among them.
        glossary: what the names in them stand for.
        path: the PNG to write.

    Returns:
        whether it was drawn.
    """
    from matplotlib import pyplot
    from matplotlib.lines import Line2D

    table = radii(scores, glossary)
    if table.empty:
        return False
    present = set(table["family"])
    families = [family for family in SHADES if family in present] + sorted(present - set(SHADES))
    reach = table[["certified", "attacked"]].max(axis=1)
    figure, axes = pyplot.subplots(
        1, len(families), figsize=(3.4 * len(families) + 0.4, 3.9), sharex=True, sharey=True, squeeze=False
    )
    for axis, family in zip(axes[0], families, strict=True):
        for _, rows in table[table["family"] != family].groupby("model"):
            _draw(axis, rows, "0.85", width=0.7)
        own = table[table["family"] == family]
        own = own.assign(training=own["model"].str.replace(r"\.seed\d+$", "", regex=True))
        shades = pyplot.get_cmap(SHADES.get(family, "Greys"))(
            np.linspace(0.95, 0.4, own["training"].nunique())
        )
        handles = []
        for shade, (training, seeds) in zip(shades, own.groupby("training"), strict=True):
            for _, rows in seeds.groupby("model"):
                _draw(axis, rows, shade, width=1.5)
            handles.append(Line2D([], [], color=shade, label=str(training)))
        axis.legend(handles=handles, fontsize=7, frameon=False, loc="upper right")
        axis.set_title(family, fontsize=9)
        axis.set_xlabel("L2 radius, pixels in [0, 1]", fontsize=8)
        axis.tick_params(labelsize=7)
    axes[0][0].set(xlim=(0, float(reach.quantile(0.99)) or 1), ylim=(0, 1.02))
    axes[0][0].set_ylabel("accuracy within the radius", fontsize=8)
    styles = [
        Line2D([], [], color="black", linestyle=style, label=f"{name}: {meaning}")
        for name, (style, meaning) in CURVES.items()
        if table[name].notna().any()
    ]
    tighten(figure)
    figure.legend(handles=styles, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=8, frameon=False)
    save(figure, path, crop=True)
    return True


def _draw(axis: Axes, rows: pd.DataFrame, colour: object, *, width: float) -> None:
    for name, (style, _) in CURVES.items():
        values = rows[name].dropna().to_numpy()
        if len(values):
            axis.step(*survival(values), where="post", color=colour, linestyle=style, linewidth=width)
