"""The section on the curves behind the scores of some metrics; a figure alone, the page shows no table of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ...store.columns import LABEL
from ...store.glossary import Glossary
from ..column_names import short_names
from ..drawing.curves import draw_curves
from ..few_models import few_models
from ..markdown import DIRECTION_SIGNS
from ..results import Results
from ..section import section


def draw(results: Results, dataset: str, path: Path) -> bool:
    """Draws the mean curves of the data set."""
    curves, board, cells = (
        table[table["dataset"] == dataset] for table in (results.curves, results.leaderboard, results.cells)
    )
    models = few_models(cells[cells["model"].isin(curves["model"])])
    lines = curve_lines(curves[curves["model"].isin(models)], board, results.glossary)
    return draw_curves(lines, models, results.looks, results.controls, path)


def curve_lines(curves: pd.DataFrame, board: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """The points of all curves that have several, with the rank of each method and the heading of its panel.

    Args:
        curves: ``dataset, model, method, metric, settings, perturbation, fraction, mean``.
        board: the leaderboard, for ranks and directions.
        glossary: what the names stand for.
    """
    curves = curves[curves["mean"].notna()]
    curves = curves[curves.groupby(LABEL)["fraction"].transform("nunique") > 1]
    known = board[[*LABEL, "rank", "higher_is_better"]].astype(dict.fromkeys(LABEL, str))
    # curves of networks that were replaced since have no row any more
    lines = curves.astype(dict.fromkeys(LABEL, str)).merge(known, on=LABEL)
    if lines.empty:
        return lines
    lines = lines.assign(column=short_names(lines, glossary))
    directed = lines[lines["higher_is_better"].isin(list(DIRECTION_SIGNS))].drop_duplicates("column")
    sign = directed.set_index("column")["higher_is_better"].map(DIRECTION_SIGNS)
    return lines.assign(heading=lines["column"] + " " + lines["column"].map(sign).fillna(""))


@section(
    title="Curves",
    question="How does the output change while pixels are erased or inserted in the order of each map?",
    figures={"curves": draw},
    place=250,
)
def curves(results: Results, dataset: str) -> pd.DataFrame:
    """No rows: the figure says it all."""
    return pd.DataFrame()
