"""The section on the robustness of the models' predictions; a figure alone, the page shows no table of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..drawing.model_robustness import draw_robustness, radius_columns
from ..results import Results
from ..section import section


def draw(results: Results, dataset: str, path: Path) -> bool:
    """Draws how many predictions are certified, and survive attacks, at each radius."""
    blocks, metrics = results.blocks, radius_columns(results.glossary).values()
    drawn = (blocks.rows["dataset"] == dataset) & blocks.rows["metric"].isin(metrics)
    return draw_robustness(blocks.table(drawn.to_numpy()), results.glossary, path)


@section(
    title="Robustness of models",
    question="How many predictions are certified, and how many survive attacks, at each radius?",
    figures={"robustness": draw},
    place=150,
)
def model_robustness(results: Results, dataset: str) -> pd.DataFrame:
    """No rows: the figure says it all."""
    return pd.DataFrame()
