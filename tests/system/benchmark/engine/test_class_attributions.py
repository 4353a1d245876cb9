"""Maps of other images of the same class: whose they are, what they cost, and that nobody else has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.class_maps import of_same_class
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.passes import count_passes
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.request import read_request
from xaiboard.benchmark.runs.planning import make_plan
from xaiboard.benchmark.subjects.trained_models import TrainedModel
from xaiboard.benchmark.toolkit.data import MissingSplitError, Reference

Runner = Callable[..., xb.Run]

CLASS = "topk_intersection.above_class[k=9]"


def test_the_first_images_of_the_class_in_their_order() -> None:
    maps = torch.arange(8.0)[:, None]
    found = of_same_class(maps, torch.tensor([1, 0, 1, 1, 1, 0, 1, 1]), torch.tensor([0, 1, 2]))
    expected = [[1, 5, *[torch.nan] * 3], [0, 2, 3, 4, 6], [torch.nan] * 5]
    torch.testing.assert_close(found[..., 0], torch.tensor(expected), equal_nan=True)


@pytest.mark.parametrize("target", ["prediction", "label"])
def test_background_images_are_explained_once_for_the_class_that_is_predicted(
    mlp: nn.Module, tiny: str, target: str
) -> None:
    data = xb.load_data(tiny, split="test")
    background = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    predicted = mlp(background).argmax(1)
    model, conditions = TrainedModel("model", "own", mlp, ""), Conditions(target=target)
    reference = Reference(background.mean(0), background)
    with count_passes(mlp) as passes:
        values = Values(model, data, reference, conditions, Batcher(5, "cpu"), passes)
        choice = choose(xb.methods["saliency"])
        found = values.class_attributions(choice, slice(3, 7))
        assert passes.backward == 16
        values.class_attributions(choice, slice(0, 3))
        assert passes.backward == 16
    maps = xb.explain(mlp, "saliency", background, predicted)
    torch.testing.assert_close(
        found, of_same_class(maps, predicted, values.target[3:7]), equal_nan=True, rtol=1e-5, atol=1e-6
    )


def test_random_numbers_are_not_those_of_a_sample(mlp: nn.Module, tiny: str) -> None:
    """Else the control ``random`` would be its own map again for a background image with the number of a sample."""
    data = xb.load_data(tiny, split="test")
    model, reference = TrainedModel("model", "own", mlp, ""), Reference(data.x.mean(0), data.x)
    values = Values(model, data, reference, Conditions(), Batcher(5, "cpu"))
    random = choose(xb.methods["random"])
    others = values.class_attributions(random, slice(0, len(data)))
    same = (others == values.attribution(random)[:, None]).flatten(2).all(2)
    assert others.isfinite().any()
    assert not same.any()


def test_they_are_paid_for_where_a_column_is_named_and_change_no_other_record(
    selection: dict[str, Any], mlp: nn.Module
) -> None:
    def plan_of(metrics: str) -> Any:  # noqa: ANN401
        one = {"models": {"mlp": mlp}, "methods": "saliency", "metrics": metrics}
        return make_plan(read_request(**{**selection, **one}))

    plain, further = plan_of("topk_intersection[k=9]"), plan_of(CLASS)
    cells = [plan.cells[0] for plan in (plain, further)]
    assert {column.rpartition(".")[2] for column in cells[1].columns - cells[0].columns} == {
        "class_chance",
        "above_class",
    }
    assert "read" not in cells[0].metric.identity
    assert cells[1].metric.identity["read"] == ["class_attributions"]
    assert (cells[0].reference, cells[1].reference) == ("", further.reference.digest)
    background = len(further.reference.samples)
    more = further.total(further.cells).backward - plain.total(plain.cells).backward
    assert more == pytest.approx(background)  # once, however many samples there are


def test_suites_have_them_where_they_name_them() -> None:
    (bare,), (named,), (every,) = (
        select(xb.metrics, each) for each in ("lens_recall", "lens_recall.above_class", "lens_recall.*")
    )
    assert bare.unread == {"class_attributions"}
    assert named.unread == every.unread == frozenset()
    assert set(bare.identity) == {"name", "version", "settings"}


def test_scores_do_not_depend_on_batches_shards_and_other_samples(mlp: nn.Module, tiny: str) -> None:
    data = xb.load_data(tiny, split="test")
    model, reference = TrainedModel("model", "own", mlp, ""), Reference(data.x.mean(0), data.x.flip(0))
    (metric,), method = select(xb.metrics, CLASS), choose(xb.methods["smoothgrad"], {"draws": 2})

    def above(rows: slice, batch: int) -> Tensor:
        values = Values(model, data[rows], reference, Conditions(), Batcher(batch, "cpu"))
        return score(values, metric, method, choose(xb.perturbations["sign_noise"])).score["above_class"]

    whole = above(slice(0, len(data)), len(data))
    torch.testing.assert_close(above(slice(5, 9), 3), whole[5:9])
    assert len(set(whole.tolist())) > 3


def test_without_a_training_split_the_reason_is_said(run: Runner, mlp: nn.Module) -> None:
    @xb.dataset(name="no-train")
    def _no_train(split: str) -> xb.Data:
        if split == "train":
            raise MissingSplitError("no training images here")
        generator = torch.Generator().manual_seed(0)
        return xb.Data(torch.rand(6, 1, 8, 8, generator=generator), torch.arange(6) % 4, list("abcd"))

    cells = run(dataset="no-train", models={"mlp": mlp}, methods="saliency", metrics=CLASS).cells
    assert list(cells["status"]) == ["inapplicable"]
    assert cells["note"][0] == "no training images here"
