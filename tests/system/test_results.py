"""The published tables follow from their scores: rebuilt without torch, they are the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "results"
FOLDERS = sorted(path.parent for path in RESULTS.glob("*/scores.parquet"))
TABLES = [
    "leaderboard.csv",
    "leaderboard_wide.csv",
    "families.csv",
    "models.csv",
    "cells.csv",
    "health.csv",
    "blurred.csv",
    "metric_correlations.csv",
    "leaderboard.md",
    "robustness.csv",  # of runs with perturbed copies
]

REBUILD = """
import sys
sys.modules["torch"] = None  # importing it raises
from xaiboard.benchmark.cli import main
sys.argv = ["xaiboard", "leaderboard", sys.argv[1]]
main()
"""


@pytest.mark.slow  # tables of millions of scores: half a minute for each of the large boards
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_published_tables_follow_from_their_scores(folder: Path, tmp_path: Path) -> None:
    for name in ("cells.csv", "scores.parquet", "curves.csv", "run.json"):
        if (folder / name).is_file():  # a suite without methods has no curves
            shutil.copy(folder / name, tmp_path / name)
    subprocess.run([sys.executable, "-c", REBUILD, str(tmp_path)], check=True, capture_output=True)
    assert (tmp_path / "robustness.csv").is_file() == (folder / "robustness.csv").is_file()
    for name in TABLES:
        if not (folder / name).is_file() and name == "robustness.csv":
            continue
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_quick_suite_is_published() -> None:
    assert "quick" in [folder.name for folder in FOLDERS]
