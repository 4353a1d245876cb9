"""Passes are counted on a small network: planning runs nothing on the real ones, and counts what they will do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.engine import counter, counts
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.costs import Cost
from xaiboard.benchmark.engine.passes import count_passes
from xaiboard.benchmark.engine.plan import Plan
from xaiboard.benchmark.engine.stand_in import layers_of, stand_in
from xaiboard.benchmark.lipschitz import bounds
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs import planning
from xaiboard.benchmark.toolkit import user_cache


class Seen(nn.Module):
    """A network that counts the images that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 8), nn.ReLU(), nn.Linear(8, 4)
        )
        self.images: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.images.append(len(x))
        return self.layers(x)


def make(selection: dict[str, Any], **changed: Any) -> Plan:  # noqa: ANN401
    return planning.make_plan(read_request(**{**selection, **changed}))


def costs(made: Plan) -> dict[tuple[str, str], tuple[float, float]]:
    return {
        (cell.method.label if cell.method else "", cell.metric.label): (cost.forward, cost.backward)
        for cell in made.cells
        if (cost := made.costs.alone(cell))
    }


def test_planning_runs_no_expensive_method_or_metric_on_the_network(selection: dict[str, Any]) -> None:
    """What is seen of the network takes as many passes, however many the cells will take."""
    seen = []
    for draws in (3, 300):
        network = Seen()
        torch.manual_seed(0)
        words = {
            "methods": f"rise[draws={draws}],saliency",
            "metrics": f"max_sensitivity[draws={draws}],deletion",
        }
        made = make(selection, models={"net": network}, **words)
        module = made.cells[0].model.module
        assert isinstance(module, Seen)
        seen.append(sum(module.images))
        assert costs(made)[f"rise[draws={draws}]", f"max_sensitivity[draws={draws}]"][0] == 1 + draws * (
            draws + 1
        )
    assert seen[0] == seen[1] < 100


@pytest.mark.parametrize("metric", ["mprt", "emprt", "random_logit"])
def test_layers_that_a_metric_changes_are_those_of_the_network(
    selection: dict[str, Any], metric: str
) -> None:
    """Counted on the network itself, by hand: one explanation more for each layer with weights."""
    made = make(selection, models={"net": Seen()}, methods="saliency", metrics=metric)
    more = {"mprt": 3, "emprt": 1, "random_logit": 1}[metric]
    assert costs(made)["saliency", metric] == (1 + 1 + more, 1 + more)


def test_a_component_that_the_small_network_does_not_suit_is_tried_on_the_real_one(
    selection: dict[str, Any],
) -> None:
    def by_name(model: nn.Module, x: Tensor) -> Tensor:
        model.layers[3]  # pyright: ignore[reportIndexIssue]
        model(x)
        return x

    def at_length(model: nn.Module, x: Tensor) -> Tensor:
        model.layers  # noqa: B018
        for _ in range(200):
            model(x)
        return x

    made = make(selection, models={"net": Seen()}, methods=[by_name, at_length], metrics="gini")
    assert costs(made) == {("by_name", "gini"): (1, 0)}


def test_counts_are_kept_for_built_in_components_alone(
    selection: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def own(model: nn.Module, x: Tensor) -> Tensor:
        return x + 0 * model(x).sum()

    monkeypatch.setattr(user_cache, "notes_folder", lambda: tmp_path / "cache")
    words = {"methods": [own, "occlusion"], "metrics": "max_sensitivity[draws=2],lens_recall[k=3]"}
    first = costs(make(selection, **words))
    tried: list[str] = []
    before = counter._counted
    monkeypatch.setattr(
        counter, "_counted", lambda values, compute, most: tried.append("") or before(values, compute, most)
    )
    assert costs(make(selection, **words)) == first
    assert len(tried) == 1  # its own
    text = (tmp_path / "cache" / "passes.json").read_text()
    assert "own" not in text
    for damaged in (
        "",
        "[1]",
        text[:50],
        json.dumps({**json.loads(text), "notes": dict.fromkeys(json.loads(text)["notes"], 3)}),
    ):
        (tmp_path / "cache" / "passes.json").write_text(damaged)
        assert costs(make(selection, **words)) == first
    monkeypatch.setattr(counts, "sources_digest", lambda folders: "other code")
    tried.clear()
    make(selection, **words)
    assert len(tried) == 4


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5), (3, 227, 227), (7,)], ids=str)
def test_the_small_network_takes_every_image(shape: tuple[int, ...]) -> None:
    state = torch.random.get_rng_state()
    network = stand_in(shape, 5, layers=4)
    assert torch.equal(state, torch.random.get_rng_state())
    assert network(torch.rand(2, *shape)).shape == (2, 5)
    assert layers_of(network) == 4
    assert bounds.upper_bound(network, shape) <= 1
    with count_passes(network) as passes:
        network(torch.rand(2, *shape))
    assert passes.forward == 2


def test_a_kept_count_holds_for_the_code_of_its_own_components(monkeypatch: pytest.MonkeyPatch) -> None:
    data = xb.Data(torch.rand(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64), ["a", "b"])
    kept, metric = counts.KeptCounts(data, Conditions()), choose(xb.metrics["gini"])
    assert kept.get([choose(xb.methods["saliency"])], []) is None
    kept.note([metric], [], counts.Counted(Cost(forward=3)))
    assert kept.get([metric], []) == counts.Counted(Cost(forward=3))
    monkeypatch.setattr(
        counts, "sources_digest", lambda folders: f"other {sorted(each.name for each in folders)}"
    )
    assert kept.get([metric], []) is None
