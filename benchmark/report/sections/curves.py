"""The section on the curves behind the scores of some metrics; a figure alone, the page shows no table of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..curves import draw_curves
from ..few_models import few_models
from ..results import Results
from ..section import section


def draw(results: Results, dataset: str, path: Path) -> bool:
    """Draws the mean curves of the data set."""
    curves, board, cells = (
        table[table["dataset"] == dataset] for table in (results.curves, results.leaderboard, results.cells)
    )
    models = few_models(cells[cells["model"].isin(curves["model"])])
    return draw_curves(curves, board, models, results.looks, results.controls, results.glossary, path)


@section(
    title="Curves",
    question="How does the output change while pixels are erased or inserted in the order of each map?",
    figures={"curves": draw},
    place=250,
)
def curves(results: Results, dataset: str) -> pd.DataFrame:
    """No rows: the figure says it all."""
    return pd.DataFrame()
