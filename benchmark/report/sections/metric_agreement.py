"""The section on which metrics agree; a figure alone, the page shows no table of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..health.by_metric import readable
from ..health.correlations import draw_correlations
from ..results import Results
from ..section import section


def draw(results: Results, dataset: str, path: Path) -> bool:
    """Draws the rank correlations of all metric columns; of many, those that differ in settings are taken together."""
    return draw_correlations(*readable(results.correlations, results.health, dataset), path)


@section(
    title="Metric agreement",
    question="Which metrics call the same methods better?",
    files={"metric_correlations.csv": lambda results: results.correlations},
    figures={"metric-correlations": draw},
    place=600,
)
def metric_agreement(results: Results, dataset: str) -> pd.DataFrame:
    """No rows: the figure says it all."""
    return pd.DataFrame()
