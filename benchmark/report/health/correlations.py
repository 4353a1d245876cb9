"""Do metrics agree? Rank correlations between the orders of the methods that two metric columns give."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..blocks import COLUMN
from ..drawing.canvas import PAGE, SMALL, TEXT, drawing, save
from ..drawing.texts import shorten, text_width, wrap
from ..drawing.tiles import line_height
from ..reliability import exact

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CORRELATIONS = [
    "dataset", "column_a", "column_b", "correlation", "lowest", "highest", "models", "methods"
]  # fmt: skip

FEWEST = 3
"""Methods that an order needs: two agree with any other order, or with its reverse."""

_LEGIBLE = 90
"""Columns up to which a matrix can be drawn: of more the names could not be read."""

MOST_NAME, BAR, ROOMY = 2.0, 0.6, 0.3
"""Inches: for the longest name, for the bar of colours, and of a cell where there is room."""

SMALLEST = 4.0
"""Points of the smallest number that is written into a cell."""

READING = "Rank correlation (numbers: × 100), mean over models; diagonal: split-half reliability; lines part families."


def metric_correlations(table: pd.DataFrame, health: pd.DataFrame, controls: Iterable[str]) -> pd.DataFrame:
    """One row for each two metric columns that have a direction: 1 where they agree on which methods are better.

    For each model, Spearman's correlation is taken over the methods that have both scores, without controls. The row
    has the mean, the lowest and the highest of the models with at least ``FEWEST`` such methods, if they are not all
    equal in one of the columns. Columns under different perturbations are not paired.

    Args:
        table: the leaderboard.
        health: one row for each model and metric column with a direction.
        controls: names of methods.
    """
    key = ["dataset", "model", *COLUMN]
    named = table.astype(dict.fromkeys(key, str)).merge(health[[*key, "column"]].astype(str), on=key)
    named = named[named["mean"].notna() & ~named["method"].isin(list(controls))]
    sign = np.where(named["higher_is_better"] == "True", 1, -1)
    means = named.assign(mean=sign * named["mean"]).groupby(["dataset", "model"], sort=True)
    under = named.drop_duplicates("column").set_index("column")["perturbation"]
    pairs = [
        _of_model(group.pivot(index="method", columns="column", values="mean"), order(health, str(dataset)), under)
        .assign(dataset=str(dataset))
        for (dataset, _), group in means
    ]  # fmt: skip
    if not pairs:
        return pd.DataFrame(columns=CORRELATIONS)
    found = pd.concat(pairs).groupby(CORRELATIONS[:3], sort=False)
    return found.agg(
        correlation=("r", "mean"), lowest=("r", "min"), highest=("r", "max"), models=("r", "count"),
        methods=("methods", "min"),
    ).reset_index()  # fmt: skip


def order(health: pd.DataFrame, dataset: str) -> list[str]:
    """The metric columns of a data set, family by family."""
    own = health[health["dataset"] == dataset].sort_values(["metric_family", "metric", "column"])
    return list(dict.fromkeys(own["column"]))


def _of_model(mean: pd.DataFrame, columns: list[str], under: pd.Series) -> pd.DataFrame:
    """Each pair of columns once, with the correlation of one model and the methods behind it.

    Args:
        mean: of each method and column.
        columns: their names.
        under: the perturbation of each column; pairs under different ones are left out, which most pairs may be.
    """
    value = mean.reindex(columns=columns).to_numpy().T
    correlation = pd.DataFrame(exact(value).T).corr(method="spearman", min_periods=FEWEST).to_numpy()
    present = (~np.isnan(value)).astype(int)
    a, b = np.triu_indices(len(columns), 1)
    of = under.reindex(columns)
    code = of.map({text: place for place, text in enumerate(dict.fromkeys(["", *under]))}).to_numpy(float)
    paired = (code[a] == code[b]) | (code[a] == 0) | (code[b] == 0)
    a, b = a[paired], b[paired]
    pairs = pd.DataFrame(
        {"column_a": np.array(columns)[a], "column_b": np.array(columns)[b], "r": correlation[a, b]}
    )
    return pairs.assign(
        methods=pd.Series((present @ present.T)[a, b]).where(pairs["r"].notna()).astype("Int64")
    )


def _matrix(correlations: pd.DataFrame, health: pd.DataFrame, names: list[str]) -> np.ndarray:
    """The correlation of each two columns, and on the diagonal the split-half reliability, mean over models."""
    place = {name: position for position, name in enumerate(names)}
    a, b = (correlations[name].map(place).to_numpy() for name in ("column_a", "column_b"))
    matrix = np.diag(health.groupby("column")["split_half"].mean().reindex(names).to_numpy(dtype=float))
    matrix[a, b] = matrix[b, a] = correlations["correlation"].to_numpy(dtype=float)
    return matrix


@drawing()
def draw_correlations(correlations: pd.DataFrame, health: pd.DataFrame, path: Path) -> bool:
    """Draws the matrix of one data set; on the diagonal is how well a column agrees with itself on other samples.

    Args:
        correlations: rows of one data set; nothing is drawn without a number among them, or with more columns than fit.
        health: rows of the same data set.
        path: the file to write.

    Returns:
        whether it was drawn.
    """
    names = order(health, str(correlations["dataset"].iloc[0])) if len(correlations) else []
    if correlations["correlation"].isna().all() or len(names) > _LEGIBLE:
        return False
    from matplotlib import pyplot

    matrix = _matrix(correlations, health, names)
    usual = TEXT if max(text_width(name, TEXT) for name in names) <= MOST_NAME else SMALL
    room = min(MOST_NAME, max(text_width(name, usual) for name in names)) + 0.1
    side = min(PAGE - room - BAR, ROOMY * len(names))
    pitch = side / len(names)
    size = min(usual, 72 * pitch / 1.1)
    wide = room + side + BAR
    reading = wrap(READING, wide - 0.1, TEXT, breaks=" ")
    high = room + side + 0.15 + len(reading) * line_height(TEXT)
    figure = pyplot.figure(figsize=(wide, high))
    axis = figure.add_axes((room / wide, room / high, side / wide, side / high), facecolor="0.8")
    image = axis.imshow(matrix, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    shown = [shorten(name, room - 0.1, size) for name in names]
    axis.set_xticks(range(len(names)), shown, rotation=90, fontsize=size)
    axis.set_yticks(range(len(names)), shown, fontsize=size)
    axis.tick_params(length=0)
    for edge in _edges(health, names):
        axis.axhline(edge, color="white", linewidth=1.2)
        axis.axvline(edge, color="white", linewidth=1.2)
    _write_numbers(axis, matrix, 72 * pitch)
    bar = figure.add_axes(((room + side + 0.1) / wide, room / high, 0.1 / wide, side / high))
    figure.colorbar(image, cax=bar, ticks=[-1, -0.5, 0, 0.5, 1])
    figure.text(0.05 / wide, 1 - 0.05 / high, "\n".join(reading), va="top")
    save(figure, path)
    return True


def _edges(health: pd.DataFrame, names: list[str]) -> list[float]:
    """Where one family of metrics ends, and the next one starts."""
    families = health.drop_duplicates("column").set_index("column")["metric_family"].reindex(names)
    return [place - 0.5 for place in range(1, len(names)) if families.iloc[place] != families.iloc[place - 1]]


def _write_numbers(axis: Axes, matrix: np.ndarray, pitch: float) -> None:
    """Writes the numbers × 100 where they can be read in cells of ``pitch`` points."""
    size = min(TEXT, pitch / 2)
    if size < SMALLEST:
        return
    for (row, column), value in np.ndenumerate(matrix):
        if not np.isnan(value):
            shade = "white" if abs(value) > 0.6 else "black"
            number = str(round(100 * value))
            axis.text(column, row, number, ha="center", va="center_baseline", fontsize=size, color=shade)
