"""What a perturbation may ask for, and what a metric of the perturbed image is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components import registry
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.decorators import make_metric
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import make_plan
from xaiboard.benchmark.subjects.trained_models import TrainedModel

Runner = Callable[..., xb.Run]


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    before = dict(registry.perturbations._entries)
    yield
    registry.perturbations._entries = before


def values_of(model: nn.Module, tiny: str, **others: nn.Module) -> Values:
    data = xb.load_data(tiny, split="test")
    trained = {name: TrainedModel(name, "own", other, "") for name, other in others.items()}
    return Values(
        TrainedModel("model", "own", model, ""), data, None, Conditions(), Batcher(5, "cpu"), others=trained
    )


def test_is_told_which_method_is_explained(mlp: nn.Module, tiny: str) -> None:
    @xb.perturbation()
    def by_name(x: Tensor, method: str) -> Tensor:
        return x * (method == "saliency")

    values, choice = values_of(mlp, tiny), choose(xb.perturbations["by_name"])
    assert torch.equal(values.perturbed_x(choice, choose(xb.methods["saliency"])), values.x)
    assert not values.perturbed_x(choice, choose(xb.methods["input_x_gradient"])).any()
    variant = choose(xb.methods["absolute"], {"of": "saliency"})
    assert torch.equal(values.perturbed_x(choice, variant), values.x), (
        "a variant is attacked through its base"
    )


def test_is_given_another_model(mlp: nn.Module, cnn: nn.Module, tiny: str) -> None:
    @xb.perturbation()
    def by_other(x: Tensor, other_model: nn.Module, *, other: str = "") -> Tensor:
        with torch.no_grad():
            return other_model(x).softmax(1)[:, :1, None, None].expand_as(x)

    values, saliency = values_of(mlp, tiny, cnn=cnn), choose(xb.methods["saliency"])
    for name, model in (("", mlp), ("cnn", cnn)):
        found = values.perturbed_x(choose(xb.perturbations["by_other"], {"other": name}), saliency)
        torch.testing.assert_close(found[:, 0, 0, 0], model(values.x).softmax(1)[:, 0].detach())


def test_another_model_needs_a_setting_that_names_it() -> None:
    with pytest.raises(xb.XaiboardError, match=r"needs a setting that names whose: other='cnn.standard'"):

        @xb.perturbation()
        def nameless(x: Tensor, other_model: nn.Module) -> Tensor:
            return x


def test_another_model_is_part_of_what_a_record_is(tmp_path: Path) -> None:
    @xb.perturbation()
    def shifted(x: Tensor, other_model: nn.Module, *, other: str = "") -> Tensor:
        return x

    def keys(of: str) -> set[str]:
        request = read_request(
            dataset="digits", models="lipmlp.hkr", methods="saliency", metrics="spearman",
            perturbations=f"shifted[other={of}]" if of else "shifted", samples=2,
        )  # fmt: skip
        plan = make_plan(request)
        assert list(plan.others) == [of] * bool(of)
        assert all(cell.other == plan.others.get(of) for cell in plan.cells)
        assert all(("other_model" in cell.identity) == bool(of) for cell in plan.cells)
        return {cell.key for cell in plan.cells}

    assert len(keys("") | keys("mlp.standard") | keys("cnn.standard")) == 3
    with pytest.raises(xb.XaiboardError, match=r"no model named 'cnn.standart'"):
        keys("cnn.standart")


def test_does_not_apply_with_a_reason(run: Runner, mlp: nn.Module) -> None:
    @xb.perturbation(
        applies=lambda method, settings: f"{method} at {settings['at']}" if settings["at"] else None
    )
    def picky(x: Tensor, *, at: int = 0) -> Tensor:
        return x

    done = run(
        models={"mlp": mlp}, methods="saliency,absolute[of=saliency]", metrics="spearman,gini",
        perturbations="picky,picky[at=2]",
    )  # fmt: skip
    found = done.cells.to_dict("records")
    (variant,) = [
        cell for cell in found if cell["method"] != "saliency" and cell["perturbation"] == "picky[at=2]"
    ]
    assert variant["note"] == "saliency at 2"
    rows = {(cell["metric"], cell["perturbation"]): cell for cell in found if cell["method"] == "saliency"}
    assert rows["spearman", "picky[at=0]"]["status"] == rows["gini", ""]["status"] == "ok"
    refused = rows["spearman", "picky[at=2]"]
    assert (refused["status"], refused["note"]) == ("inapplicable", "saliency at 2")


def test_a_metric_of_the_image_counts_every_sample(tiny: str) -> None:
    """Only scores of maps leave out the images whose prediction changes."""

    @xb.perturbation()
    def black(x: Tensor) -> Tensor:
        return x * 0

    class Bright(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            mean = z.flatten(1).mean(1)
            return torch.stack([mean, 0 * mean + threshold, 0 * mean, 0 * mean], 1)

    def held(logits: Tensor, perturbed_logits: Tensor) -> Tensor:
        return (logits.argmax(1) == perturbed_logits.argmax(1)).to(logits)

    threshold = xb.load_data(tiny, split="test").x.flatten(1).mean(1).median()
    values = values_of(Bright(), tiny)
    choice, saliency = choose(xb.perturbations["black"]), choose(xb.methods["saliency"])
    scores = score(values, choose(make_metric(held)), saliency, choice)
    expected = values.target == 1
    assert scores.score[""].bool().tolist() == expected.tolist()
    assert 0 < expected.float().mean() < 1
    assert not scores.weight
    weights = score(values, choose(xb.metrics["spearman"]), saliency, choice).weight[""]
    assert weights.bool().tolist() == expected.tolist()


def test_copies_that_serve_all_methods_are_predicted_once(mlp: nn.Module, tiny: str) -> None:
    """An attack looks at the method's map, so its copies are each method's own."""
    for name, predictions in (("sign_noise", 1), ("best_of_random", 2)):
        values, settings = values_of(mlp, tiny), {} if name == "sign_noise" else {"steps": 1, "restarts": 1}
        choice = choose(xb.perturbations[name], settings)
        for method in ("saliency", "input_x_gradient"):
            values.held(choice, choose(xb.methods[method]))
        assert sum(key[0] == "perturbed_logits" for key in values.memo.cost) == predictions
