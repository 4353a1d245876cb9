"""The installed command, from the shipped models to the tables, in a temporary folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

COMMAND = Path(sys.executable).with_name("xaiboard")
WEIGHTS = Path(__file__).parents[2] / "models" / "weights"
MODELS = ("mlp.standard", "lipmlp.hkr")

CELLS = "key dataset model method metric settings perturbation status note n seconds forward backward"
SCORES = (
    "dataset sample model family method metric settings perturbation score target label correct seed"
    " metric_version"
)
LEADERBOARD = (
    "dataset model family method metric settings perturbation metric_family higher_is_better mean ci_low ci_high n rank"
    " rank_low rank_high seconds status note best control"
)

pytestmark = [
    pytest.mark.skipif(not COMMAND.is_file(), reason="the command is not installed beside this Python"),
    pytest.mark.skipif(
        not all((WEIGHTS / f"{name}@digits.safetensors").is_file() for name in MODELS),
        reason="the shipped models have no weights here",
    ),
]


PLUGIN = """
from torch import nn
from xaiboard.benchmark import method

BROKEN = True


@method(source="a test")
def fragile(model, x):
    if BROKEN and any(isinstance(layer, nn.ReLU) for layer in model.modules()):
        raise ValueError("no luck")
    return x
"""


def xaiboard(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [COMMAND, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


RUN = (
    "run", "--models", ",".join(MODELS), "--methods", "saliency,random,gradcam", "--metrics",
    "gini,deletion[steps=4,orders=2],lens_recall,accuracy,certified_accuracy", "--samples", "4", "--out", "RUN",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("end-to-end")


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    return xaiboard(*RUN, folder=folder)


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_ends_well_and_says_where_the_tables_are(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert first.returncode == 0, first.stderr
    assert "page: RUN/report.html" in first.stdout
    assert "RUN/: report.html, leaderboard.md, leaderboard.csv" in first.stdout
    assert "mlp.standard" in first.stdout
    assert "Traceback" not in first.stderr
    wanted = (
        "cells.csv scores.parquet leaderboard.csv leaderboard_wide.csv families.csv models.csv leaderboard.md run.json"
        " curves.csv curves-digits.png gallery-digits.png report.html maps.parquet images.parquet"
    )
    assert set(wanted.split()) <= {path.name for path in (folder / "RUN").iterdir()}
    for name in ("curves-digits.png", "gallery-digits.png"):
        assert (folder / "RUN" / name).read_bytes().startswith(b"\x89PNG")


def test_tables_have_the_columns_of_the_contract(
    first: subprocess.CompletedProcess[str], folder: Path
) -> None:
    run = folder / "RUN"
    cells, board = (
        pd.read_csv(run / f"{name}.csv", keep_default_na=False) for name in ("cells", "leaderboard")
    )
    assert set(CELLS.split()) <= set(cells)
    assert list(board.columns) == LEADERBOARD.split()
    assert set(SCORES.split()) <= set(pq.read_schema(run / "scores.parquet").names)
    # accuracy and certified accuracy; three methods by gini, deletion and lens_recall; on each of two models
    assert len(cells) == 2 * (2 + 3 * 3)
    status = cells.groupby(["model", "method"])["status"].unique().map(list).to_dict()
    assert status["lipmlp.hkr", ""] == ["ok"]
    assert sorted(status["mlp.standard", ""]) == ["inapplicable", "ok"]
    assert status["mlp.standard", "gradcam"] == ["inapplicable"]
    assert status["mlp.standard", "saliency"] == status["lipmlp.hkr", "random"] == ["ok"]
    notes = dict(zip(cells["metric"], cells["note"], strict=True))
    assert notes["gini"] == ""
    scores = pd.read_parquet(run / "scores.parquet")
    assert (scores.groupby(["model", "method", "metric"], observed=True).size() == 4).all()
    assert scores["score"].notna().all()
    wide = pd.read_csv(run / "leaderboard_wide.csv")
    assert len(wide) == 6
    assert {"model", "method", "gini", "deletion", "deletion.retention", "lens_recall.chance"} <= set(wide)
    families = pd.read_csv(run / "families.csv")
    assert {"family_a", "family_b", "difference", "ci_low", "ci_high", "n"} <= set(families)
    assert set(families["n"]) <= {0, 1, 2, 3, 4}
    models = pd.read_csv(run / "models.csv").set_index("model")
    assert models.loc["lipmlp.hkr", "accuracy"] >= 0.5  # pyright: ignore[reportOperatorIssue]
    assert models["certified_accuracy"].isna().to_dict() == {"lipmlp.hkr": False, "mlp.standard": True}


def test_the_same_again_computes_nothing(first: subprocess.CompletedProcess[str], folder: Path) -> None:
    before = files(folder / "RUN")
    again = xaiboard(*RUN, folder=folder)
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    after = files(folder / "RUN")
    assert {name: content for name, (_, content) in after.items()} == {
        name: content for name, (_, content) in before.items()
    }
    records = [name for name in before if name.endswith(".parquet") and name.startswith("records")]
    assert len(records) == 15
    assert all(before[name][0] == after[name][0] for name in records)


def test_status_and_leaderboard(first: subprocess.CompletedProcess[str], folder: Path) -> None:
    status = xaiboard("status", "RUN", folder=folder)
    assert status.returncode == 0, status.stderr
    assert status.stdout.startswith("22 cells: 15 ok, 0 missing, 0 failed, 7 inapplicable")
    before = files(folder / "RUN")
    rebuilt = xaiboard("leaderboard", "RUN", folder=folder)
    assert rebuilt.returncode == 0, rebuilt.stderr
    for name in ("leaderboard.csv", "leaderboard_wide.csv", "families.csv", "models.csv", "leaderboard.md"):
        assert (folder / "RUN" / name).read_bytes() == before[name][1], name


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    done = xaiboard("run", "--models", "mlp.standad", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "xaiboard: no model named 'mlp.standad'; did you mean 'mlp.standard'?\n"
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = xaiboard(*RUN, "--dry-run", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 samples, 15 cells to compute, 7 inapplicable" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_plug_in_that_fails_on_one_model(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text(PLUGIN)
    words = (
        "run", "--plugin", "plugin.py", "--models", ",".join(MODELS), "--methods", "saliency,fragile", "--metrics",
        "gini", "--samples", "2", "--out", "RUN",
    )  # fmt: skip
    done = xaiboard(*words, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "ValueError: no luck" in done.stdout
    board = pd.read_csv(tmp_path / "RUN" / "leaderboard.csv", keep_default_na=False)
    failed = board[board["status"] != "ok"]
    assert failed[["model", "method", "note"]].to_numpy().tolist() == [
        ["mlp.standard", "fragile", "ValueError: no luck"]
    ]
    assert len(board) == 4
    before = files(tmp_path / "RUN" / "records")
    plugin.write_text(plugin.read_text().replace("BROKEN = True", "BROKEN = False"))
    mended = xaiboard(*words, folder=tmp_path)
    assert mended.returncode == 0, mended.stderr
    after = files(tmp_path / "RUN" / "records")
    kept = [name for name in before if name.endswith(".parquet")]
    assert len(kept) == 3
    assert all(after[name] == before[name] for name in kept)
    assert len([name for name in after if name.endswith(".parquet")]) == 4
