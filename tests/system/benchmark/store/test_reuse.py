"""Finished cells of another run are taken over: only what is new is computed, and the tables are those of one run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xaiboard.benchmark as xb
from torch import Tensor
from xaiboard.benchmark.engine import runner
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.report.left_out import Rule
from xaiboard.benchmark.report.publish import publish
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import finished_cells, make_plan
from xaiboard.benchmark.store.consolidate import current_cells
from xaiboard.benchmark.store.records import Store

Runner = Callable[..., xb.Run]

METRICS = "gini,deletion[steps=4,orders=2],accuracy"
TABLES = ("leaderboard.csv", "cells.csv", "families.csv", "models.csv", "curves.csv", "leaderboard_wide.csv")


@pytest.fixture
def mine(registries: None) -> str:
    @xb.method(name="mine", source="this test")
    def _mine(x: Tensor) -> Tensor:
        return x.square()

    return "mine"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Labels of the methods of each cell that a run computes."""
    labels: list[str] = []

    def counted(values: Any, metric: Any, method: Any, perturbation: Any) -> Any:  # noqa: ANN401
        labels.append(method.label if method else "")
        return score(values, metric, method, perturbation)

    monkeypatch.setattr(runner, "score", counted)
    return labels


def published(folder: Path) -> Path:
    """The folder without its records, as results are published."""
    shutil.rmtree(folder / "records")
    return folder


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / name).drop(columns="seconds", errors="ignore")


@pytest.mark.parametrize("keep_records", [True, False])
def test_a_method_joins_another_run_s_table(
    run: Runner, tmp_path: Path, mine: str, computed: list[str], keep_records: bool
) -> None:
    whole = run(methods=f"saliency,random,{mine}", metrics=METRICS, out=tmp_path / "whole").folder
    before = run(methods="saliency,random", metrics=METRICS, out=tmp_path / "before").folder
    if not keep_records:
        published(before)
    computed.clear()
    joined = run(methods=mine, metrics=METRICS, out=tmp_path / "joined", reuse=before).folder
    assert set(computed) == {mine}  # the models' own metrics are planned here, and taken over
    for name in TABLES:
        pd.testing.assert_frame_equal(table(joined, name), table(whole, name))


def test_cells_that_are_planned_here_too_are_not_computed(
    run: Runner, tmp_path: Path, mine: str, computed: list[str]
) -> None:
    before = published(run(methods="saliency,random", metrics=METRICS, out=tmp_path / "before").folder)
    computed.clear()
    words = {"methods": f"saliency,{mine}", "metrics": METRICS, "out": tmp_path / "joined"}
    run(**words, reuse=before)
    assert set(computed) == {mine}
    computed.clear()
    again = run(**words)  # taken over for good
    assert computed == []
    assert set(current_cells(Store(again.folder))["status"]) == {"ok"}
    assert set(again.cells["method"]) == {"", "saliency", "random", mine}


def test_a_dry_run_counts_what_would_be_taken_over(
    run: Runner, selection: dict[str, Any], tmp_path: Path, mine: str
) -> None:
    before = published(run(methods="saliency", metrics="gini", out=tmp_path / "before").folder)
    words = {**selection, "methods": f"saliency,{mine}", "metrics": "gini", "out": tmp_path / "joined"}
    request = read_request(**words, reuse=before)
    plan = make_plan(request)
    assert {cell.method.label for cell in finished_cells(plan, request) if cell.method} == {"saliency"}
    assert not (tmp_path / "joined").exists()


def test_rows_that_are_here_already_stay(run: Runner, tmp_path: Path) -> None:
    """A newer version of a method supersedes that of the other run."""

    def define(version: int) -> None:
        @xb.method(name="changing", version=version)
        def _changing(x: Tensor) -> Tensor:
            return x**version

    define(1)
    before = run(methods="changing,random", metrics="gini", out=tmp_path / "before").folder
    define(2)
    cells = run(methods="changing", metrics="gini", out=tmp_path / "joined", reuse=before).cells
    assert set(cells.loc[cells["method"] == "changing", "method_version"]) == {"2"}
    assert "random" in set(cells["method"])


def define_moody(*, broken: bool) -> dict[str, bool]:
    """Registers a method that raises while it is broken, which can be switched."""
    state = {"broken": broken}

    @xb.method(name="moody")
    def _moody(x: Tensor) -> Tensor:
        if state["broken"]:
            raise ValueError("not today")
        return x

    return state


def test_what_failed_there_is_computed_here(run: Runner, tmp_path: Path) -> None:
    moody = define_moody(broken=True)
    with pytest.raises(xb.XaiboardError, match=r"^2 of 2 cells failed, .*not today$"):
        run(methods="moody", metrics="gini", out=tmp_path / "before")
    before = xb.Run(tmp_path / "before")
    assert before.cells["status"].tolist() == ["failed"] * 2
    moody["broken"] = False
    joined = run(methods="moody", metrics="gini", out=tmp_path / "joined", reuse=published(before.folder))
    assert set(joined.cells["status"]) == {"ok"}


def test_a_run_under_other_conditions_is_refused(run: Runner, tmp_path: Path) -> None:
    before = run(methods="saliency", metrics="gini", out=tmp_path / "before", seed=1).folder
    with pytest.raises(
        xb.XaiboardError, match="holds a run with seed 1, this one has 0; reuse a run under the"
    ):
        run(methods="saliency", metrics="gini", out=tmp_path / "joined", reuse=before)
    assert not (tmp_path / "joined").exists()


def test_a_folder_without_a_run_is_refused(run: Runner, tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match=r"no run to reuse in '.*nowhere'; name a folder that"):
        run(methods="saliency", metrics="gini", out=tmp_path / "joined", reuse=tmp_path / "nowhere")


def test_the_run_itself_may_be_named(run: Runner, tmp_path: Path, computed: list[str]) -> None:
    run(methods="saliency", metrics="gini", out=tmp_path / "run")
    computed.clear()
    run(methods="saliency", metrics="gini", out=tmp_path / "run", reuse=tmp_path / "run")
    assert computed == []


def test_cells_of_which_columns_were_left_out_are_computed(
    run: Runner, tmp_path: Path, computed: list[str]
) -> None:
    """A published copy may lack columns; a table with some of them would rank methods among others."""
    before = run(
        methods="saliency,random", metrics="deletion[steps=4,orders=2],gini", out=tmp_path / "before"
    )
    publish(before.folder, tmp_path / "copy", [Rule(metric=("deletion",), column=("normalised",))])
    computed.clear()
    joined = run(
        methods="saliency,random",
        metrics="deletion[steps=4,orders=2],gini",
        out=tmp_path / "joined",
        reuse=tmp_path / "copy",
    )
    assert computed == ["saliency", "random"] * 2  # deletion on both networks, gini on none
    pd.testing.assert_frame_equal(
        table(joined.folder, "leaderboard.csv"), table(before.folder, "leaderboard.csv")
    )


def test_a_cell_without_scores_is_not_finished(run: Runner, tmp_path: Path, computed: list[str]) -> None:
    """Whatever the table of cells says, as where a process was killed between two files."""
    words = {"methods": "saliency,random", "metrics": "gini"}
    before = published(run(**words, out=tmp_path / "before").folder)
    out = tmp_path / "joined"
    run(**words, out=out, reuse=before)
    scores = pd.read_parquet(out / "scores.parquet")
    scores[scores["method"] != "random"].to_parquet(out / "scores.parquet")
    computed.clear()
    mended = run(**words, out=out, reuse=before)
    assert computed == []
    assert set(mended.scores["method"]) == {"saliency", "random"}
    (out / "scores.parquet").unlink()
    run(**words, out=out)
    assert sorted(computed) == ["random"] * 2 + ["saliency"] * 2


def test_a_dry_run_says_what_the_run_does_where_a_cell_failed_here(
    run: Runner, selection: dict[str, Any], tmp_path: Path, computed: list[str]
) -> None:
    moody = define_moody(broken=False)
    words = {"methods": "moody", "metrics": "gini"}
    before = published(run(**words, out=tmp_path / "before").folder)
    moody["broken"] = True
    with pytest.raises(xb.XaiboardError, match=r"^2 of 2 cells failed, .*not today$"):
        run(**words, out=tmp_path / "here")
    request = read_request(**{**selection, **words, "out": tmp_path / "here", "reuse": before})
    assert len(finished_cells(make_plan(request), request)) == 2
    computed.clear()
    joined = run(**words, out=tmp_path / "here", reuse=before)
    assert computed == []
    assert set(joined.cells["status"]) == {"ok"}


def test_a_run_that_is_interrupted_holds_no_cell_with_some_of_its_columns(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"methods": "saliency", "metrics": "deletion[steps=4,orders=2],gini"}
    before = run(**words, out=tmp_path / "before")
    publish(before.folder, tmp_path / "copy", [Rule(metric=("deletion",), column=("normalised",))])

    def interrupted(*given: Any) -> Any:  # noqa: ANN401
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(**words, out=tmp_path / "joined", reuse=tmp_path / "copy")
    cells = current_cells(Store(tmp_path / "joined"))
    assert dict(zip(cells["metric"], cells["status"], strict=True)) == {"deletion": "missing", "gini": "ok"}
    assert set(table(tmp_path / "joined", "cells.csv")["metric"]) == {"gini"}
