"""Columns that cost more are computed where they are asked for, in records of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark import Column
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine import runner
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import finished_cells, make_plan

Runner = Callable[..., xb.Run]
Words = dict[str, Any]

SETTINGS = "[steps=6,orders=2]"
PLAIN = {"deletion", "deletion.retention", "deletion.normalised"}
WON, PATCHES = "deletion.win_rate", "deletion.patch_correlation"


@pytest.fixture
def words(mlp: nn.Module) -> Words:
    """One cell of each metric."""
    return {"models": {"mlp": mlp}, "methods": "random"}


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the metrics that a run computes."""
    names: list[str] = []

    def counted(values: Any, metric: Any, method: Any, perturbation: Any) -> Any:  # noqa: ANN401
        names.append(metric.component.name)
        return score(values, metric, method, perturbation)

    monkeypatch.setattr(runner, "score", counted)
    return names


@pytest.mark.parametrize(
    ("metrics", "further", "own"),
    [
        ("deletion", set(), 6 + 1),
        ("deletion.normalised", set(), 6 + 1),
        ("deletion.win_rate", {WON}, 5 + 2 + 2 * 5),
        ("deletion.win_rate,deletion", {WON}, 5 + 2 + 2 * 5),
        ("deletion.patch*", {PATCHES}, 6 + 1 + 1 + 16),
        ("deletion.*", {WON, PATCHES}, 5 + 2 + 2 * 5 + 1 + 16),
    ],
)
def test_a_metric_costs_what_its_columns_need(
    selection: Words, words: Words, metrics: str, further: set[str], own: int
) -> None:
    """Images of 8 x 8 have sixteen patches; f(x) once for the target."""
    words["metrics"] = ",".join(f"{each}{SETTINGS}" for each in metrics.split(","))
    plan = make_plan(read_request(**{**selection, **words}))
    (cell,) = plan.cells
    assert cell.columns | {"deletion"} == PLAIN | further
    assert plan.total(plan.cells).forward == len(plan.data) * (1 + own)


@pytest.mark.parametrize("name", ["deletion", "insertion", "srg"])
def test_the_plain_scores_are_the_same_without_further_columns(name: str, mlp: nn.Module, x: Tensor) -> None:
    entry, given = (
        xb.metrics[name],
        {"model": mlp, "x": x, "target": mlp(x).argmax(1), "attribution": x.cos()},
    )
    few = entry(**given, **dict.fromkeys(entry.shared))
    all_of_them = entry(**given)
    assert set(all_of_them) - set(few) == {"win_rate", *(["patch_correlation"] if name != "srg" else [])}
    torch.testing.assert_close(few, {column: all_of_them[column] for column in few})


def test_a_record_with_more_columns_serves_a_request_for_fewer(
    run: Runner, selection: Words, words: Words, tmp_path: Path, computed: list[str]
) -> None:
    words["out"] = whole = tmp_path / "run"
    assert set(run(**words, metrics=f"deletion{SETTINGS}").scores["metric"]) == PLAIN
    for metrics in ("deletion.win_rate", "deletion"):
        finished = run(**words, metrics=metrics + SETTINGS)
        assert set(finished.scores["metric"]) == PLAIN | {WON}
        assert list(finished.cells["status"]) == ["ok"]
    assert computed == ["deletion", "deletion"]
    asked = {**words, "metrics": f"deletion.retention{SETTINGS}", "out": tmp_path / "new", "reuse": whole}
    request = read_request(**{**selection, **asked})
    assert len(finished_cells(make_plan(request), request)) == 1
    shutil.rmtree(whole / "records")  # as results are published
    assert len(finished_cells(make_plan(request), request)) == 1
    assert set(run(**asked).scores["metric"]) == PLAIN | {WON}
    assert len(computed) == 2


def test_a_suite_asks_for_all_columns_and_words_for_those_that_cost_nothing_more() -> None:
    quick = {choice.component.name: choice for choice in read_request("quick").metrics}
    (alone,) = read_request("quick", metrics="deletion").metrics
    (all_of_them,) = read_request("quick", metrics="deletion.*").metrics
    assert quick["deletion"].unread == all_of_them.unread == frozenset()
    assert "unread" not in all_of_them.identity
    assert alone.identity["unread"] == ["patch_drops", "random_order_curves"]
    assert alone.label == all_of_them.label == "deletion"
    assert [choice.component.name for choice in select(xb.metrics, "*.win_rate")] == [
        "deletion",
        "insertion",
        "srg",
    ]


def test_columns_that_do_not_exist(registries: None) -> None:
    with pytest.raises(
        xb.XaiboardError, match="no column of metric 'deletion' named 'win_rat'; did you mean"
    ):
        read_request("quick", metrics="deletion.win_rat")
    with pytest.raises(
        xb.XaiboardError, match=r"column 'mine.left' reads 'halves', which is no shared value"
    ):

        @xb.metric(family="own", higher_is_better=True, columns={"left": Column(reads=("halves",))})
        def mine(attribution: Tensor) -> Tensor:
            return attribution.flatten(1).sum(1)
