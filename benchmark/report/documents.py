"""What ``--json`` prints of a run: its keys are a promise to scripts; the columns of tables are those of the CSVs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .comparison.ask import Comparison
from .console import files
from .order import in_order, mean_ranks, ranked, ranks_of
from .results import Results

STATES = ("ok", "missing", "failed", "inapplicable")
"""What a cell can be."""


def run_document(folder: Path, results: Results) -> dict[str, Any]:
    """What ``run --json`` and ``leaderboard --json`` print."""
    return {
        **_counted(folder, results.cells),
        "conditions": results.conditions,
        "order": [row for dataset in results.datasets for row in _order(results, dataset)],
        "leaderboard": results.leaderboard,
        "models": results.models,
        "files": files(folder),
    }


def status_document(folder: Path, cells: pd.DataFrame) -> dict[str, Any]:
    """What ``status --json`` prints: the rows of ``cells.csv`` of all cells."""
    return {**_counted(folder, cells), "cells": cells}


def comparison_document(found: Comparison, paths: Sequence[Path]) -> dict[str, Any]:
    """What ``compare --json`` prints: the rows of ``compare.csv``."""
    return {"side": found.side, "question": vars(found.question), "remark": found.remark, "rows": found.table,
            "files": list(paths)}  # fmt: skip


def _counted(folder: Path, cells: pd.DataFrame) -> dict[str, Any]:
    """The folder, how many cells are in which state, and the failed ones with their messages."""
    counts = cells["status"].value_counts()
    failed = cells.loc[cells["status"] == "failed", ["key", "dataset", "model", "method", "metric", "note"]]
    return {
        "folder": folder,
        "counts": {state: int(counts.get(state, 0)) for state in STATES},
        "failed": failed,
    }


def _order(results: Results, dataset: str) -> list[dict[str, Any]]:
    """Mean ranks of the methods over the models of a data set, the best first."""
    ranks = mean_ranks(ranks_of(ranked(results, dataset)))
    return [
        {
            "dataset": dataset,
            "method": method,
            "mean_rank": ranks[method],
            "control": method in results.controls,
        }
        for method in in_order(ranks)
    ]
