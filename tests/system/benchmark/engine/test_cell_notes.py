"""What a metric has to say of its scores, and what cells share that differ in a setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.errors import XaiboardWarning, warn
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import make_plan

Runner = Callable[..., xb.Run]


def test_what_a_metric_says_stands_in_the_note_of_its_cell(run: Runner, mlp: nn.Module) -> None:
    def rough(attribution: Tensor) -> Tensor:
        warn("as rough as its steps")
        return attribution.flatten(1).sum(1)

    with pytest.warns(XaiboardWarning, match="mlp saliency rough: as rough as its steps") as said:
        done = run(models={"mlp": mlp}, methods="saliency", metrics=[rough, "gini"])
    assert (
        len([each for each in said if "as rough" in str(each.message)]) == 1
    )  # and not when passes are counted
    assert dict(zip(done.cells["metric"], done.cells["note"], strict=True)) == {
        "rough": "as rough as its steps",
        "gini": "",
    }


def test_cells_that_climb_the_same_loss_share_its_loop(selection: dict[str, Any], mlp: nn.Module) -> None:
    def backward(metrics: str) -> float:
        one = {"models": {"mlp": mlp}, "metrics": metrics, "methods": None, "perturbations": None}
        plan = make_plan(read_request(**{**selection, **one}))
        return plan.total(plan.cells).backward / len(plan.data)

    assert backward("ara[loss=cross_entropy]") == 200
    assert backward("ara") == backward("ara,ara[loss=cross_entropy],ara[loss=margin]") == 300
