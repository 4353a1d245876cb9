"""The section on the robustness of the models' predictions; a figure alone, the page shows no table of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..drawing.model_robustness import draw_robustness
from ..results import Results
from ..section import section


def draw(results: Results, dataset: str, path: Path) -> bool:
    """Draws how many predictions are certified, and survive attacks, at each radius."""
    of_dataset = results.scores[results.scores["dataset"] == dataset]
    return draw_robustness(of_dataset, results.glossary, path)


@section(
    title="Robustness of models",
    question="How many predictions are certified, and how many survive attacks, at each radius?",
    figures={"robustness": draw},
    place=150,
)
def model_robustness(results: Results, dataset: str) -> pd.DataFrame:
    """No rows: the figure says it all."""
    return pd.DataFrame()
