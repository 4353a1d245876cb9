"""Figures of attributional robustness: scores against the radius and the window, and LENS against top-k."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..column_names import read_settings
from ..drawing import save
from .convergence import NOT_CHECKED, NOT_CONVERGED
from .table import at_usual_eps, headline, read_perturbation, usual_eps, with_kinds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RAW = ("common_mean", "common_low", "common_high")
ABOVE = ("common_above", "common_above_low", "common_above_high")
"""A score and its interval on the samples of all models, as it is and on the scale from chance to full agreement."""

COMMON = "samples that all models classify correctly and whose prediction held for all"

CHANCE = {"color": "black", "linestyle": ":", "linewidth": 1}

MARKERS = "osD^vP*X<>"


def draw_against_eps(table: pd.DataFrame, path: Path) -> bool:
    """Draws the headline score against the radius: methods down, models across, a line for each kind of perturbation.

    Solid lines are attacks, which take steps; hollow points have not converged, dots of attacks have not been checked.
    The dotted line is the chance level. Numbers are those of the samples that all models have in common.

    Args:
        table: attributional robustness of one data set; nothing is drawn unless some perturbation has several radii.
        path: the PNG to write.

    Returns:
        whether it was drawn.
    """
    from matplotlib import pyplot

    rows = headline(table)
    colours = _colours(rows["kind"])
    rows = rows[rows["eps"] > 0]
    if rows.empty or rows.groupby("kind")["eps"].nunique().max() < 2:
        return False
    models, methods = sorted(set(rows["model"])), sorted(set(rows["method"]))
    figure, axes = pyplot.subplots(
        len(methods), len(models), figsize=(2.3 * len(models) + 0.6, 1.9 * len(methods) + 0.5), sharex=True,
        sharey=True, squeeze=False,
    )  # fmt: skip
    radii = sorted(set(rows["eps"]))
    axes[0][0].set(xscale="log", xlim=(radii[0] / 1.2, radii[-1] * 1.2), ylim=(0, 1.02))
    axes[0][0].set_xticks(radii, [f"{radius:g}" for radius in radii])
    axes[0][0].minorticks_off()
    for axis in axes.flat:
        axis.set_autoscale_on(False)  # or each line that is drawn looks at all panels again
    for (model, method), panel in rows.groupby(["model", "method"]):
        axis = axes[methods.index(str(method))][models.index(str(model))]
        chance = panel.groupby("eps")["common_chance"].mean()
        axis.plot(chance.index, chance, **CHANCE)
        for kind, line in panel.sort_values("eps").groupby("kind"):
            _line(axis, line, colours[str(kind)])
    _label(axes, models, methods, "eps, pixels in [0, 1]")
    legend = "solid: attacks (hollow: not converged, small: not checked), dashed: noise, dotted: chance"
    title = f"{_name(rows)}: {COMMON}\n{legend}"
    return _finish(figure, _present(colours, rows), title, path)


def draw_against_window(table: pd.DataFrame, path: Path) -> bool:
    """Draws LENS recall against its window, raw above and above chance below, a column of panels for each model.

    Each perturbation of the usual radius, or without one, is a line: the mean over methods. The band is that of their
    chance levels. Window 0 is top-k intersection.

    Args:
        table: attributional robustness of one data set; nothing is drawn unless it has several windows.
        path: the PNG to write.

    Returns:
        whether it was drawn.
    """
    from matplotlib import pyplot

    rows = with_kinds(_windows(table))
    if rows["window"].nunique() < 2:
        return False
    colours = _colours(rows["kind"])
    rows = at_usual_eps(rows)
    models = sorted(set(rows["model"]))
    figure, axes = pyplot.subplots(
        2, len(models), figsize=(2.3 * len(models) + 0.6, 4.6), sharex=True, sharey="row", squeeze=False
    )
    for model, panel in rows.groupby("model"):
        column = axes[:, models.index(str(model))]
        chance = panel.groupby("window")["common_chance"].agg(["mean", "min", "max"])
        column[0].plot(chance.index, chance["mean"], **CHANCE)
        column[0].fill_between(chance.index, chance["min"], chance["max"], color="0.88", linewidth=0)
        column[1].axhline(0, **CHANCE)
        for kind, line in panel.groupby("kind"):
            for axis, score in zip(column, (RAW[0], ABOVE[0]), strict=True):
                mean = line.groupby("window")[score].mean()
                axis.plot(mean.index, mean, color=colours[str(kind)], linewidth=1.3, marker=".")
    axes[0][0].set(ylim=(0, 1.02), xticks=sorted(set(rows["window"])))
    _label(axes, models, ["recall", "above chance"], "window, pixels")
    radius = "" if rows["eps"].isna().all() else f" at eps {usual_eps(rows):g}"
    title = (
        f"LENS recall{radius}: mean over methods; dotted: chance, from its lowest to its highest\n{COMMON}"
    )
    return _finish(figure, _present(colours, rows), title, path)


def draw_lens_and_topk(table: pd.DataFrame, path: Path) -> bool:
    """Draws the headline LENS score against plain top-k intersection, raw on the left and above chance on the right.

    A point for each model, method and perturbation; crosses and dotted lines are the chance levels.

    Args:
        table: attributional robustness of one data set; nothing is drawn unless it has both scores.
        path: the PNG to write.

    Returns:
        whether it was drawn.
    """
    from matplotlib import pyplot

    lens = headline(table)
    topk = table[(table["metric"] == "topk_intersection") & (table["column"] == "")]
    topk = topk.assign(k=[read_settings(text)["k"] for text in topk["settings"].astype(str)])
    lens = lens.assign(k=[read_settings(text).get("k", "") for text in lens["settings"].astype(str)])
    rows = lens.merge(topk, on=["model", "method", "perturbation", "k"], suffixes=("", "_topk"))
    if rows.empty or lens["metric"].iloc[0] != "lens_recall":
        return False
    colours = _colours(lens["kind"])
    markers = dict(zip(sorted(set(rows["family"])), MARKERS, strict=False))
    figure, (raw, above) = pyplot.subplots(1, 2, figsize=(8.2, 4.3))
    chances = rows["common_chance_topk"], rows["common_chance"]
    raw.scatter(*chances, color="0.6", marker="x", s=14, linewidth=0.7, zorder=1)
    for line in (above.axhline, above.axvline):
        line(0, **CHANCE)
    raw.axvline(rows["common_chance_topk"].mean(), **CHANCE)
    for (kind, family), points in rows.groupby(["kind", "family"]):
        look: dict[str, Any] = {"marker": markers.get(str(family), "o"), "color": colours[str(kind)]}
        for axis, score in ((raw, RAW[0]), (above, ABOVE[0])):
            axis.scatter(
                points[f"{score}_topk"], points[score], s=16, alpha=0.65, linewidth=0, zorder=2, **look
            )
    for axis, title in ((raw, "raw; crosses: chance"), (above, "above chance; dotted: chance")):
        axis.axline((0, 0), slope=1, color="0.8", linewidth=0.8, zorder=0)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("topk_intersection", fontsize=8)
        axis.tick_params(labelsize=7)
    raw.set(xlim=(0, 1.02), ylim=(0, 1.02))
    lowest = min(0.0, *rows[ABOVE[0]], *rows[f"{ABOVE[0]}_topk"]) - 0.03
    above.set(xlim=(lowest, 1.02), ylim=(lowest, 1.02))
    raw.set_ylabel(_name(lens), fontsize=8)
    handles = [
        above.scatter([], [], color="0.4", marker=marker, label=family) for family, marker in markers.items()
    ]
    above.legend(handles=handles, fontsize=7, frameon=False, loc="upper left")
    return _finish(figure, _present(colours, rows), "", path)


def _windows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of LENS recall at one ``k``, each with its ``window``; top-k intersection has window 0."""
    rows = table[table["metric"].isin(["lens_recall", "topk_intersection"]) & (table["column"] == "")]
    settings = [read_settings(text) for text in rows["settings"].astype(str)]
    rows = rows.assign(
        k=[values["k"] for values in settings],
        window=[int(values.get("window", "0")) for values in settings],
        clean=[values.get("reference", "clean") == "clean" for values in settings],
    )
    recall = rows[(rows["metric"] == "lens_recall") & rows["clean"]]
    rows = rows[(rows["k"] == recall["k"].min()) & rows["clean"]]
    return rows.drop_duplicates(["model", "method", "perturbation", "window"])


def _line(axis: Axes, line: pd.DataFrame, colour: Any) -> None:  # noqa: ANN401 - of matplotlib
    """One kind of perturbation; an attack, which takes steps, is a solid line."""
    attack = "steps" in read_perturbation(line["perturbation"].iloc[0]).settings
    axis.plot(line["eps"], line[RAW[0]], color=colour, linewidth=1.2, linestyle="-" if attack else "--")
    axis.fill_between(line["eps"], line[RAW[1]], line[RAW[2]], color=colour, alpha=0.15, linewidth=0)
    for word, points in line.groupby("converged", dropna=False):
        axis.errorbar(
            points["eps"], points[RAW[0]], [points[RAW[0]] - points[RAW[1]], points[RAW[2]] - points[RAW[0]]],
            fmt="o", color=colour, elinewidth=0.8, markersize=1.6 if word == NOT_CHECKED else 3.2,
            markerfacecolor="white" if word == NOT_CONVERGED else colour,
        )  # fmt: skip


def _colours(kinds: Iterable[str]) -> dict[str, Any]:
    from matplotlib import pyplot

    names = sorted(set(kinds))
    cycle = pyplot.get_cmap("tab10" if len(names) <= 10 else "tab20")
    return {name: cycle(place % cycle.N) for place, name in enumerate(names)}


def _present(colours: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """The colours of what is drawn; those of a run's figures are the same."""
    return {kind: colour for kind, colour in colours.items() if kind in set(rows["kind"])}


def _name(rows: pd.DataFrame) -> str:
    return f"{rows['metric'].iloc[0]}[{rows['settings'].iloc[0]}]"


def _label(axes: np.ndarray, columns: list[str], rows: list[str], below: str) -> None:
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(name, fontsize=9)
    for axis, name in zip(axes[:, 0], rows, strict=True):
        axis.set_ylabel(name, fontsize=8)
    for axis in axes[-1]:
        axis.set_xlabel(below, fontsize=8)
    for axis in axes.flat:
        axis.tick_params(labelsize=7)


def _finish(figure: Figure, colours: dict[str, Any], title: str, path: Path) -> bool:
    """Names the colours above the panels, and saves."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    across = max(1, int(figure.get_figwidth() / 2.6))
    figure.tight_layout()
    figure.legend(
        handles=handles, title=title, title_fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1),
        ncol=min(len(handles), across), fontsize=8, frameon=False,
    )  # fmt: skip
    save(figure, path, crop=True)
    return True
