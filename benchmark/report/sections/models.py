"""The section that describes the models."""

from __future__ import annotations

import pandas as pd

from ..markdown import number
from ..results import Results
from ..section import section


@section(
    title="Models",
    question="How good are the models that are explained?",
    note="Means over n samples, and largest values (max); 95 % intervals: `models.csv`.",
    files={"models.csv": lambda results: results.models},
    place=100,
)
def models(results: Results, dataset: str) -> pd.DataFrame:
    """The models with the means of their metrics."""
    table = results.models[results.models["dataset"] == dataset]
    hidden = [name for name in table if ":ci_" in str(name) or name in ("dataset", "weights", "note")]
    return table.drop(columns=hidden).map(number)
