"""The files of a run: from the records, from earlier tables, and from the tables alone, without torch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.report.console import describe_status
from xaiboard.benchmark.report.results import Results
from xaiboard.benchmark.report.write import write
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.store import tables
from xaiboard.benchmark.store.consolidate import consolidate, current_cells
from xaiboard.benchmark.store.records import Store
from xaiboard.benchmark.store.tables import CELLS, SCORES
from xaiboard.benchmark.subjects.trained_models import module_digest

Runner = Callable[..., xb.Run]

SOURCES = ("cells.csv", "scores.parquet", "curves.csv", "run.json")
FOLLOW = (
    "leaderboard.csv", "leaderboard_wide.csv", "families.csv", "models.csv", "health.csv", "blurred.csv",
    "metric_correlations.csv", "leaderboard.md",
)  # fmt: skip
SELECTED = {
    "methods": "saliency,gradcam,random",
    "metrics": "gini,deletion[steps=4,orders=2],lens_recall[k=9],accuracy,certified_accuracy,gradient_norm",
}


def copy_tables(finished: xb.Run, folder: Path) -> Path:
    folder.mkdir()
    for name in SOURCES:
        shutil.copy(finished.folder / name, folder / name)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text() for name in FOLLOW}


def broken(x: Tensor) -> Tensor:
    raise ValueError('with "quotes", commas\nand lines')


def test_contents_of_the_tables(run: Runner) -> None:
    finished = run(**SELECTED)
    assert list(finished.cells.columns) == CELLS
    assert list(finished.scores.columns) == SCORES
    wanted = "dataset sample model family method metric settings perturbation score target label correct seed"
    assert set(wanted.split()) | {"metric_version"} <= set(finished.scores.columns)
    counted = finished.scores.groupby(["model", "method", "metric"], observed=True).size()
    assert (counted == 12).all()
    assert set(finished.scores["metric"]) >= {"deletion", "deletion.retention", "lens_recall.chance", "gini"}
    assert "deletion.curve" not in set(finished.scores["metric"])
    curves = pd.read_csv(finished.folder / "curves.csv")
    assert len(curves) == 5 * 5  # saliency and random on two models, gradcam on one; five points
    assert set(curves["fraction"]) == {0, 0.25, 0.5, 0.75, 1}


def test_what_a_score_s_row_says(run: Runner, mlp: nn.Sequential) -> None:
    scores = run(methods="saliency", metrics="gini", target="label").scores
    one = scores[scores["model"] == "mlp"]
    data = xb.load_data("tiny")
    predicted = mlp(data.x).argmax(1)
    assert one["sample"].tolist() == list(range(12))
    assert one["target"].tolist() == one["label"].tolist() == data.label.tolist()
    assert one["correct"].tolist() == (predicted == data.label).tolist()
    expected = xb.metrics["gini"](attribution=xb.explain(mlp, "saliency", data.x, data.label))
    assert one["score"].tolist() == expected.tolist()


def test_weights_say_whether_the_prediction_held(run: Runner) -> None:
    centred = torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    linear = nn.Linear(64, 4, bias=False)
    linear.weight.data = centred - centred.mean(1, keepdim=True)
    model = nn.Sequential(nn.Flatten(), linear)
    scores = run(
        models={"net": model},
        methods="saliency",
        metrics="gini,lens_recall[k=9]",
        perturbations="sign_noise[eps=0.9]",
    ).scores
    data = xb.load_data("tiny")
    rng = xb.SampleRng(0, range(12), "perturbation/sign_noise")
    perturbed = xb.perturbations["sign_noise"](x=data.x, rng=rng, eps=0.9)
    held = (model(perturbed).argmax(1) == model(data.x).argmax(1)).float().tolist()
    assert 0 < sum(held) < 12
    for metric in ("lens_recall", "lens_recall.chance", "lens_recall.above_chance"):
        assert scores[scores["metric"] == metric]["weight"].tolist() == held
    assert set(scores[scores["metric"] == "gini"]["weight"]) == {1.0}


def test_tables_are_rebuilt_byte_for_byte_from_the_tables_alone(run: Runner, tmp_path: Path) -> None:
    finished = run(**{**SELECTED, "methods": ["saliency", "gradcam", "random", broken]})
    assert set(finished.cells["status"]) == {"ok", "failed", "inapplicable"}
    folder = copy_tables(finished, tmp_path / "copy")
    sources = {name: (folder / name).read_bytes() for name in SOURCES}
    consolidate(Store(folder))
    assert {name: (folder / name).read_bytes() for name in SOURCES} == sources
    write(folder, Results(folder))
    assert content(folder) == content(finished.folder)


def test_tables_are_rebuilt_without_torch(run: Runner, tmp_path: Path) -> None:
    finished = run(**SELECTED)
    folder = copy_tables(finished, tmp_path / "copy")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from xaiboard.benchmark import cli\n"
        f"sys.argv = ['xaiboard', 'leaderboard', {str(folder)!r}]\n"
        "cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert content(folder) == content(finished.folder)
    assert (folder / "curves-tiny.png").is_file()
    code = code.replace("'leaderboard'", "'status'")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(finished.cells)} cells: " in done.stdout


def test_rebuilding_from_the_records_changes_nothing(run: Runner) -> None:
    finished = run(**SELECTED)
    before = {path.name: path.read_bytes() for path in finished.folder.iterdir() if path.is_file()}
    for name in set(before) - {"run.json", "maps.parquet", "images.parquet"}:  # maps need the networks
        (finished.folder / name).unlink()
    consolidate(Store(finished.folder))
    write(finished.folder, Results(finished.folder))
    assert {path.name: path.read_bytes() for path in finished.folder.iterdir() if path.is_file()} == before


def test_conditions_that_the_files_do_not_know_are_left_out(run: Runner) -> None:
    finished = run(**SELECTED)
    assert "\n\nConditions: schema " in (finished.folder / "leaderboard.md").read_text("utf-8")
    (finished.folder / "run.json").unlink()
    write(finished.folder, Results(finished.folder))
    assert "# Leaderboard\n\nCells: " in (finished.folder / "leaderboard.md").read_text("utf-8")


def test_a_second_selection_in_one_folder_is_merged(run: Runner, tmp_path: Path) -> None:
    run(methods="saliency", metrics="gini,accuracy", out=tmp_path / "parts")
    run(methods="random", metrics="gini", out=tmp_path / "parts")
    parts = run(methods="saliency", metrics="deletion[steps=4,orders=2]", out=tmp_path / "parts")
    assert len(parts.cells) == 8
    whole = run(methods="saliency,random", metrics="gini,accuracy", out=tmp_path / "whole")
    kept = parts.scores[~parts.scores["metric"].str.startswith("deletion")].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, whole.scores, check_categorical=False)


def test_a_plan_is_merged_with_tables_whose_records_are_gone(run: Runner, tmp_path: Path) -> None:
    """As when a published leaderboard is extended: its records are not committed."""
    both = {"methods": "saliency,random", "metrics": "gini,deletion[steps=4,orders=2],accuracy"}
    whole = run(**both, out=tmp_path / "whole")
    published = run(**{**both, "methods": "saliency"}, out=tmp_path / "published")
    shutil.rmtree(published.folder / "records")
    extended = run(methods="random", metrics="gini,deletion[steps=4,orders=2]", out=tmp_path / "published")
    pd.testing.assert_frame_equal(extended.scores, whole.scores)
    assert (extended.cells["status"] == "ok").all()
    boards = [table.leaderboard.drop(columns="seconds") for table in (extended, whole)]
    pd.testing.assert_frame_equal(boards[0], boards[1])
    curves = [pd.read_csv(finished.folder / "curves.csv") for finished in (extended, whole)]
    pd.testing.assert_frame_equal(curves[0], curves[1])


def define(version: int) -> None:
    @xb.method(version=version)
    def mine(x: Tensor) -> Tensor:
        return x * version


def test_two_versions_never_share_a_table(run: Runner) -> None:
    define(1)
    run(methods="mine,saliency", metrics="gini,deletion[steps=4,orders=2]")
    define(2)
    finished = run(methods="mine", metrics="gini,deletion[steps=4,orders=2]")
    of_mine = finished.cells[finished.cells["method"] == "mine"]
    assert set(of_mine["method_version"]) == {"2"}
    assert len(of_mine) == 4
    assert len(finished.cells) == 8


@pytest.mark.parametrize("records", ["kept", "gone"])
def test_the_newest_version_wins_where_it_ran_for_fewer_metrics(run: Runner, records: str) -> None:
    define(1)
    first = run(
        methods="mine,saliency", metrics="deletion[steps=4,orders=2],gini,insertion[steps=4,orders=2]"
    )
    if records == "gone":
        shutil.rmtree(first.folder / "records")
    define(2)
    finished = run(methods="mine", metrics="gini")
    of_mine = finished.cells[finished.cells["method"] == "mine"]
    assert set(of_mine["method_version"]) == {"2"}
    assert set(of_mine["metric"]) == {"gini"}
    assert set(finished.scores[finished.scores["method"] == "mine"]["metric"]) == {"gini"}
    assert len(finished.cells[finished.cells["method"] == "saliency"]) == 6


def test_two_versions_never_share_a_table_under_other_settings(run: Runner) -> None:
    def define(version: int) -> None:
        @xb.method(version=version)
        def mine(x: Tensor, *, gain: float = 1.0) -> Tensor:
            return x * version * gain

    define(1)
    run(methods="mine,mine[gain=2]", metrics="gini")
    define(2)
    cells = run(methods="mine", metrics="gini").cells
    assert set(cells["method_version"]) == {"2"}


def test_new_weights_supersede_the_old_ones(run: Runner, mlp: nn.Sequential) -> None:
    run(models={"net": mlp}, methods="saliency", metrics="deletion[steps=4,orders=2],gini")
    before = module_digest(mlp)[:16]
    next(mlp.parameters()).data += 0.1
    finished = run(models={"net": mlp}, methods="saliency", metrics="gini")
    assert before not in set(finished.cells["weights"])
    assert len(finished.cells) == 1


def test_a_damaged_record_is_said_when_tables_are_made(run: Runner) -> None:
    finished = run()
    path = next((finished.folder / "records").glob("gini-*.parquet"))
    path.write_bytes(b"PAR1")
    with pytest.raises(xb.XaiboardError, match=r"is damaged .*; delete it and run again"):
        run()
    path.unlink()
    assert run().failed.empty


@pytest.mark.parametrize(
    ("name", "damage"), [("cells.csv", "a,b\n1,2\n"), ("cells.csv", ""), ("scores.parquet", "no parquet")]
)
def test_damaged_tables_are_named(run: Runner, tmp_path: Path, name: str, damage: str) -> None:
    finished = run()
    folder = tmp_path / "copy"
    folder.mkdir()
    for source in ("cells.csv", "scores.parquet"):
        shutil.copy(finished.folder / source, folder / source)
    (folder / name).write_text(damage)
    with pytest.raises(xb.XaiboardError, match=name):
        write(folder, Results(folder))


def test_no_run_in_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match=r"no run in '.*': it has no cells.csv"):
        tables.read_cells(tmp_path)
    with pytest.raises(xb.XaiboardError, match=r"scores.parquet' is missing; restore it"):
        tables.read_scores(tmp_path)


def test_status_while_a_run_goes_on(run: Runner, selection: dict, tmp_path: Path) -> None:
    from xaiboard.benchmark.runs import planning

    finished = run()
    removed = sorted((finished.folder / "records").glob("*.parquet"))[:2]
    for path in removed:
        path.unlink()
    before = (finished.folder / "cells.csv").read_bytes()
    cells = current_cells(Store(finished.folder))
    assert cells["status"].value_counts().to_dict() == {"ok": 4, "missing": 2}
    assert (finished.folder / "cells.csv").read_bytes() == before
    text = describe_status(cells)
    assert text.startswith("6 cells: 4 ok, 2 missing, 0 failed, 0 inapplicable")
    planned = Store(tmp_path / "planned")
    planned.open({})
    planned.plan(planning.make_plan(read_request(**selection)).summary)
    assert set(current_cells(planned)["status"]) == {"missing"}
