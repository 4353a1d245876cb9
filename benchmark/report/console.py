"""What the command line prints of a run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..store.glossary import FILE
from ..store.maps import IMAGES, MAPS
from .formats import figure_names
from .markdown import plain
from .results import Results
from .section import sections
from .sections.methods import methods
from .sections.models import models
from .write import PAGE


def describe_run(folder: Path, results: Results) -> str:
    """What ``xaiboard run`` prints at the end: the short leaderboard, failures, and where the files are."""
    cells = results.cells
    parts = []
    for dataset in results.datasets:
        parts.append(f"{dataset}: models\n" + plain(models(results, dataset)))
        board = methods(results, dataset)
        if len(board):
            parts.append(
                f"{dataset}: methods; mean score (rank interval within the model), ★ in the set of the best,"
                " ≈ see its note in leaderboard.csv; over several baselines #mean rank (lowest–highest);"
                " ↑ higher is better, ↓ lower; † control\n" + plain(board)
            )
    failed = cells[cells["status"] == "failed"]
    if len(failed):
        parts.append(f"{len(failed)} cells failed:\n" + plain(failed[["model", "method", "metric", "note"]]))
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
    return f"{len(cells)} cells: {text}" + ("\n" + plain(shown) if len(absent) else "")


def describe_files(folder: Path) -> str:
    """Where the tables and figures are, the leaderboard first."""
    tables = [name for section in sections() for name in section.files]
    names = [PAGE, *sorted(tables, key=lambda name: not name.startswith("leaderboard"))]
    names += ["cells.csv", FILE, "scores.parquet", "curves.csv", MAPS, IMAGES]
    names += figure_names(folder)
    return f"{folder}/: " + ", ".join(name for name in names if (folder / name).is_file())
