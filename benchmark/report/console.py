"""What the command line prints of a run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .markdown import markdown
from .page import short_leaderboard, short_models


def describe_run(folder: Path, cells: pd.DataFrame, table: pd.DataFrame, models: pd.DataFrame) -> str:
    """What ``xaiboard run`` prints at the end: the short leaderboard, failures, and where the files are."""
    controls = set(cells.loc[cells["control"].astype(bool), "method"])
    parts = []
    for dataset in sorted(set(cells["dataset"])):
        parts.append(f"{dataset}: models\n" + markdown(short_models(models[models["dataset"] == dataset])))
        board = short_leaderboard(table[table["dataset"] == dataset], controls)
        if len(board):
            parts.append(
                f"{dataset}: methods; mean score (rank interval within the model), or over several baselines"
                " #mean rank (lowest–highest); † control\n" + markdown(board)
            )
    failed = cells[cells["status"] == "failed"]
    if len(failed):
        parts.append(
            f"{len(failed)} cells failed:\n" + markdown(failed[["model", "method", "metric", "note"]])
        )
    parts.append(describe_files(folder))
    return "\n".join(parts)


def describe_status(cells: pd.DataFrame) -> str:
    """Counts of cells by status, and each cell that is missing, failed or inapplicable."""
    counts = cells["status"].value_counts()
    text = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("ok", "missing", "failed", "inapplicable"))
    absent = cells[cells["status"] != "ok"]
    shown = absent[["status", "dataset", "model", "method", "metric", "settings", "note"]].sort_values(
        "status"
    )
    return f"{len(cells)} cells: {text}" + ("\n" + markdown(shown) if len(absent) else "")


def describe_files(folder: Path) -> str:
    """Where the tables and figures are."""
    names = [
        "leaderboard.md",
        "leaderboard.csv",
        "leaderboard_wide.csv",
        "families.csv",
        "models.csv",
        "health.csv",
        "blurred.csv",
        "metric_correlations.csv",
        "robustness.csv",
        "cells.csv",
    ]
    names += ["scores.parquet", "curves.csv", *sorted(path.name for path in folder.glob("*.png"))]
    return f"{folder}/: " + ", ".join(name for name in names if (folder / name).is_file())
