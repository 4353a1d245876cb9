"""The section that describes the models."""

from __future__ import annotations

import pandas as pd

from ..markdown import DIRECTION_SIGNS, number
from ..models import model_columns
from ..results import Results
from ..section import section


@section(
    title="Models",
    question="How good are the models that are explained?",
    note="Means over n samples, ↑ higher is better, ↓ lower; largest values (max); 95 % intervals: `models.csv`.",
    files={"models.csv": lambda results: results.models},
    place=100,
)
def models(results: Results, dataset: str) -> pd.DataFrame:
    """The models with the means of their metrics."""
    table = results.models[results.models["dataset"] == dataset]
    hidden = [name for name in table if ":ci_" in str(name) or name in ("dataset", "weights", "note")]
    return table.drop(columns=hidden).map(number).rename(columns=_marked(results))


def _marked(results: Results) -> dict[str, str]:
    """The names of the columns with a direction, with its sign."""
    names = model_columns(results.blocks, results.glossary)
    directions = results.blocks.rows.loc[names.index, "higher_is_better"]
    signs = zip(names, directions.map(DIRECTION_SIGNS), strict=True)
    return {name: f"{name} {sign}" for name, sign in signs if sign}
