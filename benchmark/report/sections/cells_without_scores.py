"""The section on what has no score, and why."""

from __future__ import annotations

import pandas as pd

from ..results import Results
from ..section import section


@section(
    title="Cells without scores",
    question="What has failed, does not apply, or has not run?",
    whole_run=True,
    place=2000,
)
def cells_without_scores(results: Results, dataset: str) -> pd.DataFrame:
    """How many cells of each model have no score for the same reason."""
    absent = results.cells[results.cells["status"] != "ok"]
    counted = absent.groupby(["status", "note", "model"], sort=True)["key"].count()
    return counted.rename("cells").reset_index()
