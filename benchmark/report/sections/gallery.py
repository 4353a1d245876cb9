"""The section that shows the maps; a figure alone, the page shows no table of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..drawing.gallery import draw_gallery
from ..few_models import few_models
from ..results import Results
from ..section import section


def draw(results: Results, dataset: str, path: Path) -> bool:
    """Draws the maps that the run keeps of the data set."""
    maps, images = (table[table["dataset"] == dataset] for table in (results.maps, results.images))
    cells = results.cells[(results.cells["dataset"] == dataset) & results.cells["model"].isin(maps["model"])]
    return draw_gallery(maps, images, few_models(cells), results.controls, results.colours, path)


@section(
    title="Gallery",
    question="What do the maps look like?",
    figures={"gallery": draw},
    place=220,
)
def gallery(results: Results, dataset: str) -> pd.DataFrame:
    """No rows: the figure says it all."""
    return pd.DataFrame()
