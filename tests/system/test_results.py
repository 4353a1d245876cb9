"""The published tables follow from their scores: rebuilt without torch, they are the same bytes. And they are small."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from xaiboard.benchmark.report.publish import CITED, DERIVED, LARGEST, PICTURE, SOURCES
from xaiboard.benchmark.store.columns_file import FILE as COLUMNS
from xaiboard.benchmark.store.known_outputs import read_known_outputs
from xaiboard.benchmark.store.run_file import FILE as RUN
from xaiboard.benchmark.store.run_file import read_run
from xaiboard.benchmark.store.tables import read_cells
from xaiboard.benchmark.store.verify import verify

RESULTS = Path(__file__).parents[2] / "results"
FOLDERS = sorted(path.parent for path in RESULTS.glob("*/scores.parquet"))
LARGE = {"lens", "standard", "standard-fashion-mnist"}

REBUILD = """
import sys
sys.modules["torch"] = None  # importing it raises
from xaiboard.benchmark.cli import main
_, folder, *names = sys.argv
if names:  # figures that the page names, which are not drawn
    from xaiboard.benchmark.report import write
    from xaiboard.benchmark.toolkit.files import file_name
    sys.modules["matplotlib"] = None
    write._draw = lambda folder, section, results, dataset, formats: [
        name for kind in section.figures if (name := f"{kind}-{file_name(dataset)}.png") in names
    ]
sys.argv = ["xaiboard", "leaderboard", folder]
main()
"""


def meanings(folder: Path) -> dict[str, Any]:
    """``columns.json`` without the dictionary of files, whose words do not follow from the scores."""
    said = json.loads((folder / COLUMNS).read_text("utf-8"))
    return {part: of for part, of in said.items() if part != "files"}


FOLDER_PARAMETERS = [
    # half a minute and more for each of the large boards, whose tables have hundreds of thousands of rows
    pytest.param(folder, marks=[pytest.mark.slow] if folder.name in LARGE else [], id=folder.name)
    for folder in FOLDERS
]


@pytest.mark.parametrize("folder", FOLDER_PARAMETERS)
def test_published_tables_follow_from_their_scores(folder: Path, tmp_path: Path) -> None:
    for name in SOURCES:
        if (folder / name).is_file():  # a suite without methods has no curves
            shutil.copy(folder / name, tmp_path / name)
    # drawing, whose bytes are not compared, takes a quarter of a large board's time; the small ones are drawn
    figures = [path.name for path in folder.glob("*.png")] if folder.name in LARGE else []
    subprocess.run([sys.executable, "-c", REBUILD, str(tmp_path), *figures], check=True, capture_output=True)
    published = {path.name for path in folder.iterdir() if path.suffix in (".csv", ".md", ".json")}
    assert {"leaderboard.csv", "leaderboard.md", "models.csv", "cells.csv", "columns.json"} <= published
    for name in published - {RUN, COLUMNS}:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    assert meanings(tmp_path) == meanings(folder)
    found, known = read_run(tmp_path), read_run(folder)
    assert found is not None
    assert found.seal is not None
    assert known is not None
    assert found.conditions == known.conditions
    assert found.seal.files.keys() >= published - {RUN}
    if known.seal is not None:  # sealed pictures are those of a screen, which a rebuild draws larger
        same = {name for name in known.seal.files if not name.endswith(".png") and name != COLUMNS}
        assert {name: found.seal.files[name] for name in same} == {
            name: known.seal.files[name] for name in same
        }
        assert found.seal.cells == known.seal.cells
    for path in tmp_path.glob("*.csv"):  # what is not published is large, and rebuilt
        assert path.name in published or (path.name not in CITED and path.stat().st_size > DERIVED), path.name


def test_published_folders_are_as_they_were_written() -> None:
    assert [problem for folder in FOLDERS for problem in verify(folder)[0]] == []


def test_published_folders_say_what_their_networks_compute() -> None:
    for folder in FOLDERS:
        networks = read_cells(folder)[["weights", "samples"]].drop_duplicates().itertuples(index=False)
        missing = {
            f"network {weights[:16]} on samples {samples[:16]}" for weights, samples in networks
        } - read_known_outputs(folder).keys()
        assert not missing, folder.name


def test_the_suites_are_published() -> None:
    assert {folder.name for folder in FOLDERS} >= {"quick", "fashion-mnist", "models", *LARGE}


def test_results_fit_a_repository() -> None:
    files = [
        path
        for path in RESULTS.rglob("*")
        if path.is_file() and not {"records", "claims.html"} & {*path.parts}
    ]
    assert sum(path.stat().st_size for path in files) <= 60_000_000
    assert max(path.stat().st_size for path in files) <= LARGEST
    assert max(path.stat().st_size for path in files if path.suffix == ".png") <= PICTURE
