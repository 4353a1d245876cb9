"""A component that raises fails only its own cells; finished cells stay, and only missing ones are computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.engine import runner
from xaiboard.benchmark.errors import XaiboardWarning
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs import planning
from xaiboard.benchmark.store.consolidate import current_cells
from xaiboard.benchmark.store.records import Store

Runner = Callable[..., xb.Run]


def records(finished: xb.Run) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (finished.folder / "records").glob("*.parquet")}


def status(finished: xb.Run) -> dict[tuple[str, str, str], str]:
    cells = finished.cells
    return {(row["model"], row["method"], row["metric"]): row["status"] for row in cells.to_dict("records")}


def raises(x: Tensor) -> Tensor:
    raise ValueError("no\nluck")


def gives_nan(x: Tensor) -> Tensor:
    return torch.where(torch.arange(x.shape[-1]) == 3, torch.nan, x)


def gives_one_channel(x: Tensor) -> Tensor:
    return x.flatten(1)


def gives_a_number(x: Tensor) -> float:
    return 3.0


METHOD_FAILURES: list[tuple[Callable[..., Any], str]] = [
    (raises, "ValueError: no luck"),
    (
        gives_nan,
        "method 'broken' must return finite values shaped (12, 1, 8, 8), got (12, 1, 8, 8) with 96 values",
    ),
    (gives_one_channel, "method 'broken' must return finite values shaped (12, 1, 8, 8), got (12, 64)"),
    (gives_a_number, "method 'broken' must return finite values shaped (12, 1, 8, 8), got float"),
]


@pytest.mark.parametrize(
    ("function", "message"), METHOD_FAILURES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_method_that_fails_costs_its_own_cells(
    run: Runner, function: Callable[..., Any], message: str
) -> None:
    finished = run(methods={"saliency": "saliency", "broken": function, "random": "random"})
    failed = finished.failed
    assert set(zip(failed["model"], failed["method"], failed["metric"], strict=True)) == {
        ("mlp", "broken", "gini"), ("cnn", "broken", "gini")
    }  # fmt: skip
    assert failed["note"].str.startswith(message).all()
    board = finished.leaderboard
    row = board[(board["method"] == "broken")]
    assert (row["status"] == "failed").all()
    assert row["note"].str.startswith(message).all()
    assert row[["mean", "ci_low", "ci_high", "n", "rank", "rank_low", "rank_high"]].isna().all(axis=None)
    assert (board[board["method"] != "broken"]["status"] == "ok").all()
    assert set(finished.scores["method"]) == {"", "saliency", "random"}
    saved = pd.read_csv(finished.folder / "leaderboard.csv", keep_default_na=False)
    assert saved[saved["method"] == "broken"]["note"].tolist() == failed["note"].tolist()


def test_a_method_that_fails_on_one_model_is_complete_on_the_other(run: Runner) -> None:
    def needs_convolution(model: nn.Module, x: Tensor) -> Tensor:
        if not any(isinstance(layer, nn.Conv2d) for layer in model.modules()):
            raise RuntimeError("where is the convolution?")
        return x

    found = status(run(methods=["saliency", needs_convolution]))
    assert found.pop(("mlp", "needs_convolution", "gini")) == "failed"
    assert set(found.values()) == {"ok"}
    assert len(found) == 5


def score_raises(attribution: Tensor) -> Tensor:
    raise KeyError("missing")


def score_nan(attribution: Tensor) -> Tensor:
    return torch.full((len(attribution),), torch.nan)


def score_of_batch(attribution: Tensor) -> Tensor:
    return attribution.mean()


def score_columns(attribution: Tensor) -> dict[str, Tensor]:
    return {"": attribution.flatten(1).mean(1), "bad": attribution.flatten(1).mean(1)[:3]}


def score_nothing(attribution: Tensor) -> dict[str, Tensor]:
    return {"curve": attribution.flatten(1)}


METRIC_FAILURES: list[tuple[Callable[..., Any], str]] = [
    (score_raises, "KeyError: 'missing'"),
    (score_nan, "metric 'score_nan' must return finite scores shaped (12,), got (12,) with 12 values"),
    (score_of_batch, "metric 'score_of_batch' must return finite scores shaped (12,), got ()"),
    (score_columns, "metric 'score_columns.bad' must return finite scores shaped (12,), got (3,)"),
    (score_nothing, "metric 'score_nothing' returned no score"),
]


@pytest.mark.parametrize(
    ("function", "message"), METRIC_FAILURES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_metric_that_fails_costs_its_own_cells(
    run: Runner, function: Callable[..., Any], message: str
) -> None:
    finished = run(metrics=[function, "gini"])
    name = function.__name__
    assert set(finished.failed["metric"]) == {name}
    assert len(finished.failed) == 4
    assert finished.failed["note"].str.startswith(message).all()
    assert (finished.leaderboard.query("metric == 'gini'")["status"] == "ok").all()


def test_a_perturbation_that_fails_costs_its_own_cells(run: Runner) -> None:
    @xb.perturbation()
    def too_bright(x: Tensor) -> Tensor:
        return x + 1

    finished = run(metrics="gini,lens_recall[k=9]", perturbations="sign_noise,too_bright")
    assert set(finished.failed["perturbation"]) == {"too_bright[]"}
    assert (
        finished.failed["note"]
        .str.startswith("perturbation 'too_bright' must stay in [0, 1], got values")
        .all()
    )
    assert (finished.cells.query("metric == 'gini'")["status"] == "ok").all()


def test_a_model_that_fails_costs_its_own_cells(run: Runner, mlp: nn.Sequential) -> None:
    class Sure(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.full((len(x), 4), torch.inf)

    class Few(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)[:, :3]

    class Decided(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)[:, :4] > 0.5

    models = {"sure": Sure(), "few": Few(), "decided": Decided(), "mlp": mlp}
    finished = run(models=models, methods="saliency")
    notes = finished.failed.groupby("model")["note"].unique().map(list).to_dict()
    assert notes == {
        "sure": [
            "model 'sure' must return finite logits shaped (12, 4), got (12, 4) with 48 values that are not finite"
        ],
        "few": ["model 'few' must return finite logits shaped (12, 4), got (12, 3)"],
        "decided": ["model 'decided' must return floating-point logits, got torch.bool"],
    }  # fmt: skip
    assert set(finished.cells.query("model == 'mlp'")["status"]) == {"ok"}


def test_a_run_in_which_everything_fails_has_tables(run: Runner, tmp_path: Path) -> None:
    with pytest.raises(xb.XaiboardError, match=r"^2 of 2 cells failed, .*; the first: ValueError: no luck$"):
        run(methods=[raises], metrics="gini")
    finished = xb.Run(tmp_path / "run")
    assert finished.cells["status"].tolist() == ["failed"] * 2
    assert (finished.folder / "leaderboard.csv").is_file()
    assert len(finished.leaderboard) == 2


def test_a_run_in_which_nothing_applies_has_tables(run: Runner) -> None:
    finished = run(methods="saliency", metrics="lens_recall", perturbations="")
    assert set(finished.leaderboard["status"]) == {"inapplicable"}


def test_a_run_of_model_metrics_alone_has_tables(run: Runner) -> None:
    finished = run(metrics="accuracy")
    assert len(finished.models) == 2
    assert finished.models["accuracy"].between(0, 1).all()
    assert (finished.folder / "leaderboard_wide.csv").is_file()


def test_after_the_fix_only_these_cells_are_computed(run: Runner, tmp_path: Path) -> None:
    def define(broken: bool) -> None:
        @xb.method()
        def fragile(x: Tensor) -> Tensor:
            if broken:
                raise RuntimeError("not yet")
            return x

    define(broken=True)
    with pytest.warns(
        XaiboardWarning, match=r"^2 of 8 cells failed, .*; the first: RuntimeError: not yet$"
    ) as caught:
        first = run(methods="saliency,fragile,random")
    assert not caught[0].filename.endswith(("arguments.py", "api.py"))  # but what called xb.run
    before = records(first)
    assert len(first.failed) == 2
    assert first.leaderboard["note"].str.contains("not yet").sum() == 2
    define(broken=False)
    second = run(methods="saliency,fragile,random")
    after = records(second)
    assert {name: after[name] for name in before} == before
    new = set(after) - set(before)
    assert len(new) == 2
    assert all(name.startswith("gini-") for name in new)
    assert second.failed.empty
    assert set(second.cells["status"]) == {"ok"}
    never_failed = run(methods="saliency,fragile,random", out=tmp_path / "never failed")
    assert second.leaderboard["note"].tolist() == never_failed.leaderboard["note"].tolist()
    assert not list((second.folder / "records").glob("*.failed.json"))


def test_the_same_again_computes_nothing(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run()
    before = {path.name: path.read_bytes() for path in first.folder.iterdir() if path.is_file()}

    def refuse(*arguments: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(runner, "_compute", refuse)
    second = run()
    assert {path.name: path.read_bytes() for path in second.folder.iterdir() if path.is_file()} == before


def test_a_method_that_writes_into_its_input_harms_nobody(run: Runner, tmp_path: Path) -> None:
    def vandal(x: Tensor, target: Tensor) -> Tensor:
        x.zero_()
        target.zero_()
        return x + 1

    def vandal_metric(attribution: Tensor, x: Tensor) -> Tensor:
        attribution.zero_()
        x.zero_()
        return x.flatten(1).sum(1)

    kept = ["gini", "deletion[steps=4,orders=2]", "accuracy"]
    clean = run(methods=["saliency", "random"], metrics=kept, out=tmp_path / "clean").scores
    found = run(
        methods=[vandal, "saliency", "random"], metrics=[vandal_metric, *kept], out=tmp_path / "vandal"
    )
    assert found.failed.empty
    same = found.scores[(found.scores["method"] != "vandal") & (found.scores["metric"] != "vandal_metric")]
    pd.testing.assert_frame_equal(
        same.reset_index(drop=True), clean, check_dtype=False, check_categorical=False
    )


def test_a_keyboard_interrupt_keeps_what_is_finished(run: Runner, tmp_path: Path) -> None:
    whole = run(out=tmp_path / "whole")
    calls = {"stop": True}

    def define() -> None:
        @xb.method()
        def interrupted(x: Tensor) -> Tensor:
            if calls["stop"] and len(x) > 2:  # the plan tries it on one or two samples
                raise KeyboardInterrupt
            return x

    define()
    with pytest.raises(KeyboardInterrupt):
        run(methods="saliency,interrupted,random")
    left = xb.Run(tmp_path / "run")
    cells = current_cells(Store(left.folder))
    before = records(left)
    assert len(before) == 2  # accuracy and saliency of the first model
    assert sorted(cells["status"].value_counts().to_dict().items()) == [("missing", 6), ("ok", 2)]
    assert not list((left.folder / "records").glob(".*.tmp"))
    calls["stop"] = False
    resumed = run(methods="saliency,interrupted,random")
    after = records(resumed)
    assert {name: after[name] for name in before} == before
    assert set(resumed.cells["status"]) == {"ok"}
    kept = resumed.scores[resumed.scores["method"] != "interrupted"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, whole.scores, check_categorical=False)


def test_nothing_is_written_when_the_plan_is_refused(run: Runner, tmp_path: Path) -> None:
    for changed in ({"samples": 0}, {"methods": "salency"}, {"metrics": "gini[k=2]"}, {"batch_size": 0}):
        with pytest.raises(xb.XaiboardError):
            run(**changed)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("size", [0, -1, "many", "1.5", ""])
def test_a_batch_size_is_a_number(run: Runner, size: object) -> None:
    with pytest.raises(xb.XaiboardError, match="batch size must be 'auto' or a number from 1; got"):
        run(batch_size=size)


def test_other_conditions_in_one_folder_are_refused(run: Runner) -> None:
    finished = run()
    before = {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()}
    for changed, word in (
        ({"seed": 1}, "seed 0, this one has 1"),
        ({"dtype": "float64"}, "dtype float32"),
        ({"samples": 5}, "samples 12, this one has 5"),
        ({"target": "label"}, "target prediction"),
    ):
        with pytest.raises(xb.XaiboardError, match=word):
            run(**changed)
    assert {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()} == before


def test_shards_give_the_same_tables(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    selected = {"methods": "smoothgrad[draws=2],random", "metrics": "gini,lens_recall[k=9],accuracy"}
    whole = run(out=tmp_path / "whole", **selected)
    monkeypatch.setattr("xaiboard.benchmark.engine.plan.SHARD_BYTES", 5 * 64 * 4)
    parts = run(out=tmp_path / "parts", **selected)
    assert len(records(parts)) == 3 * len(records(whole))
    order = ["model", "method", "metric", "sample"]
    ordered = [table.scores.sort_values(order, ignore_index=True) for table in (parts, whole)]
    pd.testing.assert_frame_equal(ordered[0], ordered[1])
    boards = [table.leaderboard.drop(columns="seconds") for table in (parts, whole)]
    pd.testing.assert_frame_equal(boards[0], boards[1])
    assert parts.cells["n"].eq(12).all()


def define_ranks(calls: list[int]) -> None:
    def brightness(x: Tensor) -> Tensor:
        calls.append(len(x))
        return x.flatten(1).mean(1)

    @xb.metric(family="model", higher_is_better=True, shared=[brightness], whole=True)
    def ranks(brightness: Tensor, label: Tensor) -> dict[str, Tensor]:
        calls.append(-len(brightness))
        return {"": (brightness[:, None] > brightness).sum(1).float(), "label": label}


def test_a_metric_of_all_samples_is_called_once_whatever_the_batches_and_shards(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selected = {"models": "model", "metrics": "ranks,gini,accuracy", "methods": "random"}
    calls: list[int] = []
    define_ranks(calls)

    @xb.model(family="own", name="model")
    def _model(shape: tuple[int, ...], classes: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return nn.Sequential(nn.Flatten(), nn.Linear(64, classes)).eval()

    whole = run(out=tmp_path / "whole", **selected)
    assert calls[-2:] == [12, -12]  # after the plan's trial and its probe, on one or two samples
    assert all(abs(count) <= 2 for count in calls[:-2])
    calls.clear()
    small = run(out=tmp_path / "small", batch_size=5, **selected)
    assert calls[-4:] == [5, 5, 2, -12]
    monkeypatch.setattr("xaiboard.benchmark.engine.plan.SHARD_BYTES", 5 * 64 * 4)
    calls.clear()
    parts = run(out=tmp_path / "parts", batch_size=4, **selected)
    assert calls[-4:] == [4, 4, 4, -12]
    assert len(list(parts.folder.glob("records/**/ranks-*.parquet"))) == 3
    order = ["metric", "method", "sample"]
    for other in (small, parts):
        one, two = (table.scores.sort_values(order, ignore_index=True) for table in (whole, other))
        pd.testing.assert_frame_equal(one, two)
    scores = whole.scores[whole.scores["metric"] == "ranks"]
    assert sorted(scores["score"]) == list(range(12))
    row = parts.cells[parts.cells["metric"] == "ranks"].iloc[0]
    assert (row["status"], row["n"]) == ("ok", 12)


def test_a_metric_of_all_samples_resumes_where_one_of_its_shards_is_lost(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xaiboard.benchmark.engine.plan.SHARD_BYTES", 5 * 64 * 4)
    define_ranks([])
    before = run(metrics="ranks")
    lost = sorted(before.folder.glob("records/**/ranks-*.parquet"))[1]
    lost.unlink()
    again = run(metrics="ranks")
    assert lost.exists()
    assert (again.cells["status"] == "ok").all()
    pd.testing.assert_frame_equal(before.scores, again.scores)


def test_a_metric_whose_library_is_missing_is_inapplicable(run: Runner) -> None:
    calls = []

    @xb.metric(family="model", higher_is_better=True, library="no_such_library")
    def needy(logits: Tensor) -> Tensor:
        calls.append(logits)
        return logits[:, 0]

    @xb.metric(family="model", higher_is_better=True, library="torch")
    def served(logits: Tensor) -> Tensor:
        return logits[:, 0]

    finished = run(metrics="needy,served,accuracy")
    states = {
        (row["metric"], row["status"], row["note"])
        for row in finished.cells.to_dict("records")
        if row["metric"] != "accuracy"
    }
    assert states == {
        (
            "needy",
            "inapplicable",
            "the library 'no_such_library' is not installed; run: pip install no_such_library",
        ),
        ("served", "ok", ""),
    }
    assert not calls


def test_a_shard_that_fails_fails_the_cell(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xaiboard.benchmark.engine.plan.SHARD_BYTES", 5 * 64 * 4)

    def dislikes_the_last(x: Tensor) -> Tensor:
        if len(x) == 2:
            raise RuntimeError("two are too few")
        return x

    with pytest.raises(xb.XaiboardError, match=r"^2 of 2 cells failed, .*two are too few$"):
        run(methods=[dislikes_the_last], metrics="gini")
    finished = xb.Run(tmp_path / "run")
    assert finished.cells["status"].tolist() == ["failed"] * 2
    assert set(finished.cells["note"]) == {"RuntimeError: two are too few"}
    assert finished.scores.empty


def test_memory_that_runs_out_changes_no_score(run: Runner, tmp_path: Path) -> None:
    def define(fits: int) -> None:
        @xb.method()
        def hungry(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
            if len(x) > fits:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return xb.methods["saliency"](model=model, x=x, target=target)

    tables = []
    for fits in (100, 3):
        define(fits)
        finished = run(methods="hungry", metrics="gini,accuracy", dtype="float64", out=tmp_path / str(fits))
        assert finished.failed.empty
        tables.append(finished.scores)
    pd.testing.assert_frame_equal(tables[0], tables[1])
    define(0)
    finished = run(methods="hungry", metrics="gini,accuracy", out=tmp_path / "none")
    assert set(finished.failed["note"]) == {
        "one sample alone does not fit into memory; use a smaller model; method 'hungry' ran out of memory and got"
        " smaller batches: put back for all others"
    }


def test_one_attribution_serves_every_metric(run: Runner) -> None:
    calls: list[int] = []

    def counted(x: Tensor) -> Tensor:
        calls.append(len(x))
        return x

    run(methods=[counted], metrics="gini,deletion[steps=4,orders=2],lens_recall[k=9],topk_intersection[k=9]")
    ran = [size for size in calls if size == 12]
    assert len(ran) == 4  # for each of two models: the samples, and their perturbed copies


def test_numbers_of_cells_are_numbers(run: Runner) -> None:
    cells = run(methods="saliency,gradcam").cells
    for name in ("n", "seconds", "forward", "backward"):
        assert pd.api.types.is_numeric_dtype(cells[name]), name


def test_a_plan_and_its_run_have_the_same_keys(run: Runner, selection: dict[str, Any]) -> None:
    planned = {cell.key for cell in planning.make_plan(read_request(**selection)).cells}
    assert set(run().cells["key"]) == planned


def test_a_function_that_was_edited_is_computed_again(run: Runner) -> None:
    """As in a notebook; whoever registers the function raises its version instead."""

    def make(first: bool) -> Callable[[Tensor], Tensor]:
        if first:

            def mine(x: Tensor) -> Tensor:
                return x
        else:

            def mine(x: Tensor) -> Tensor:
                return x**4

        return mine

    means = [run(methods=[make(first)], metrics="gini").scores["score"].mean() for first in (True, False)]
    assert means[0] != means[1]


def test_explain_gives_one_attribution(mlp: nn.Sequential) -> None:
    x, target = torch.rand(3, 1, 8, 8), torch.tensor([0, 1, 2])
    before = x.clone()
    found = xb.explain(mlp, "smoothgrad[draws=2]", x, target, sigma=0.1)
    assert found.shape == x.shape
    assert torch.equal(found, xb.explain(mlp, "smoothgrad", x, target, sigma=0.1, draws=2))
    assert not torch.equal(found, xb.explain(mlp, "smoothgrad", x, target, sigma=0.1, draws=2, seed=1))
    assert torch.equal(x, before)
    with pytest.raises(xb.XaiboardError, match="'gradcam' does not apply: the model has no convolution"):
        xb.explain(mlp, "gradcam", x, target)
    with pytest.raises(xb.XaiboardError, match="'saliency' has no setting 'steps'"):
        xb.explain(mlp, "saliency", x, target, steps=3)
    assert torch.equal(xb.explain(mlp, the_image, x, target), x)


def the_image(x: Tensor) -> Tensor:
    return x
