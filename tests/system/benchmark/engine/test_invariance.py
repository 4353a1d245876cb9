"""Scores do not depend on batch size, order, interruption or repetition."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xaiboard.benchmark as xb
from torch import nn
from xaiboard.benchmark.components.choice import Choice
from xaiboard.benchmark.components.patterns import split
from xaiboard.benchmark.engine import runner
from xaiboard.benchmark.engine.scores import Scores, score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.store.consolidate import current_cells
from xaiboard.benchmark.store.records import Store

Runner = Callable[..., xb.Run]

METHODS = "saliency,smoothgrad[draws=2],random,gradcam"
METRICS = (
    "deletion.*[steps=4,orders=2],deletion.*[baseline=mean,steps=4,orders=2],deletion.*[baseline=blur,steps=4,orders=2],"
    "insertion.*[steps=4,orders=2],gini,max_sensitivity[draws=2],lens_recall[k=9],accuracy"
)
SELECTED = {"methods": METHODS, "metrics": METRICS}
ROW = ["model", "method", "metric", "settings", "perturbation", "sample"]


@pytest.fixture(scope="module")
def done() -> dict[str, xb.Run]:
    return {}


@pytest.fixture(params=["float32"])
def whole(
    run: Runner,
    request: pytest.FixtureRequest,
    done: dict[str, xb.Run],
    tmp_path_factory: pytest.TempPathFactory,
) -> xb.Run:
    """An uninterrupted run, which all tests of a dtype share."""
    dtype = request.param
    if dtype not in done:
        done[dtype] = run(**SELECTED, dtype=dtype, batch_size=64, out=tmp_path_factory.mktemp(dtype) / "run")
        assert done[dtype].failed.empty
    return done[dtype]


double = pytest.mark.parametrize("whole", ["float64"], indirect=True)


def tables(finished: xb.Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in finished.folder.iterdir() if path.is_file()}


def without_seconds(finished: xb.Run) -> str:
    board = pd.read_csv(finished.folder / "leaderboard.csv", dtype=str, keep_default_na=False)
    return board.drop(columns="seconds").to_csv()


def assert_same_scores(one: xb.Run, other: xb.Run) -> None:
    assert tables(one)["scores.parquet"] == tables(other)["scores.parquet"]
    assert tables(one)["families.csv"] == tables(other)["families.csv"]
    assert tables(one)["models.csv"] == tables(other)["models.csv"]
    assert tables(one)["curves.csv"] == tables(other)["curves.csv"]
    assert tables(one)["leaderboard_wide.csv"] == tables(other)["leaderboard_wide.csv"]
    assert without_seconds(one) == without_seconds(other)


@double
@pytest.mark.parametrize("size", [1, 7])
def test_batch_sizes_give_identical_scores_in_float64(run: Runner, whole: xb.Run, size: int) -> None:
    assert_same_scores(whole, run(**SELECTED, dtype="float64", batch_size=size))


@pytest.mark.parametrize("size", [1, 7])
def test_batch_sizes_give_the_same_scores_in_float32(run: Runner, whole: xb.Run, size: int) -> None:
    """Up to 1e-5, times a score's weight in its mean: an area normalised by a tiny scale has large rounding errors."""
    other = run(**SELECTED, batch_size=size)
    pd.testing.assert_frame_equal(whole.scores[ROW], other.scores[ROW])
    assert (whole.scores["correct"] == other.scores["correct"]).all()
    assert (whole.scores["target"] == other.scores["target"]).all()
    gap = np.abs(weighted(whole.scores) - weighted(other.scores))
    flipped = whole.scores[gap > 1e-5]
    assert flipped.empty, flipped[["model", "method", "metric", "sample"]].to_string()


def weighted(scores: pd.DataFrame) -> pd.Series:
    return scores["score"] * scores["weight"].abs().clip(upper=1)


def test_order_of_the_selection_does_not_matter(
    run: Runner, whole: xb.Run, mlp: nn.Module, cnn: nn.Module
) -> None:
    other = run(models={"cnn": cnn, "mlp": mlp}, methods=split(METHODS)[::-1], metrics=split(METRICS)[::-1])
    assert_same_scores(whole, other)


def test_state_of_the_global_generators_does_not_matter(run: Runner, whole: xb.Run) -> None:
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    random.seed(99)
    assert_same_scores(whole, run(**SELECTED))


def test_another_seed_changes_what_is_random_and_nothing_else(run: Runner, whole: xb.Run) -> None:
    again = run(**SELECTED, seed=4)
    assert tables(whole)["models.csv"] == tables(again)["models.csv"]
    merged = whole.scores.merge(again.scores, on=ROW, suffixes=("", " again"))
    assert len(merged) == len(whole.scores)
    changed = merged[merged["score"] != merged["score again"]]
    assert {"random", "smoothgrad[draws=2]"} <= set(changed["method"])
    assert {"max_sensitivity", "lens_recall"} <= set(changed[changed["method"] == "saliency"]["metric"])
    still = merged[
        (merged["method"] == "saliency") & merged["metric"].isin(["gini", "deletion", "insertion"])
    ]
    assert (still["score"] == still["score again"]).all()


def test_resumed_from_any_records_gives_identical_tables(run: Runner, whole: xb.Run) -> None:
    parts = run(**SELECTED)
    records = sorted((parts.folder / "records").glob("*.parquet"))
    for path in random.Random(0).sample(records, len(records) // 2):
        path.unlink()
    assert_same_scores(whole, run(**SELECTED))


def test_interrupted_again_and_again_gives_identical_tables(
    run: Runner, whole: xb.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run is stopped in the middle of its sixteenth cell."""
    computed = {"cells": 0}

    def stops(values: Values, metric: Choice, method: Choice | None, perturbation: Choice | None) -> Scores:
        scores = score(values, metric, method, perturbation)
        computed["cells"] += 1
        if computed["cells"] > 15:
            raise KeyboardInterrupt
        return scores

    monkeypatch.setattr(runner, "score", stops)  # the plan's probe has its own
    stopped = 0
    while True:
        computed["cells"] = 0
        try:
            parts = run(**SELECTED)
            break
        except KeyboardInterrupt:
            stopped += 1
            left = current_cells(Store(tmp_path / "run"))["status"].value_counts()
            assert left["ok"] == 15 * stopped
    assert stopped > 2
    assert_same_scores(whole, parts)


@double
def test_samples_do_not_depend_on_how_many_there_are(run: Runner, whole: xb.Run) -> None:
    few = run(**SELECTED, dtype="float64", samples=5).scores
    merged = few.merge(whole.scores, on=ROW, suffixes=("", " many"))
    assert len(merged) == len(few)
    assert (merged["score"] == merged["score many"]).all()
