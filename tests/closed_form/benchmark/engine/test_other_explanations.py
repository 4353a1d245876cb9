"""What a metric may ask for beside the map it judges: another method's, another class's, another model's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.decorators import make_metric
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.subjects.trained_models import TrainedModel

Runner = Callable[..., xb.Run]
Explain = Callable[..., Tensor]


def values_of(model: nn.Module, tiny: str) -> Values:
    data = xb.load_data(tiny, split="test")
    return Values(TrainedModel("model", "own", model, ""), data, None, Conditions(), Batcher(5, "cpu"))


@pytest.mark.parametrize("method", ["saliency", "absolute", "smoothgrad"])
def test_explains_another_class(mlp: nn.Module, tiny: str, method: str) -> None:
    def of_next(explain: Explain, x: Tensor, target: Tensor, logits: Tensor) -> Tensor:
        return explain(x, target=(target + 1) % logits.shape[1]).flatten(1).sum(1)

    values = values_of(mlp, tiny)
    found = score(values, choose(make_metric(of_next)), choose(xb.methods[method]), None).score[""]
    expected = xb.explain(mlp, method, values.x, (values.target + 1) % 4).flatten(1).sum(1)
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, values.attribution(choose(xb.methods[method])).flatten(1).sum(1))


@pytest.mark.parametrize("method", ["saliency", "smoothgrad", "absolute"])
def test_explains_one_sample_of_a_batch_with_its_own_random_numbers(
    mlp: nn.Module, tiny: str, method: str
) -> None:
    def alone(explain: Explain, x: Tensor, attribution: Tensor) -> Tensor:
        maps = [explain(x[i : i + 1], sample=i) for i in range(len(x))]
        return (torch.cat(maps) - attribution).flatten(1).abs().amax(1)

    values = values_of(mlp, tiny)
    found = score(values, choose(make_metric(alone)), choose(xb.methods[method]), None).score[""]
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-6)


def test_explains_another_model(mlp: nn.Module, cnn: nn.Module, tiny: str) -> None:
    def by_cnn(explain: Explain, x: Tensor) -> Tensor:
        return explain(x, model=cnn).flatten(1).sum(1)

    values = values_of(mlp, tiny)
    found = score(values, choose(make_metric(by_cnn)), choose(xb.methods["absolute"]), None).score[""]
    torch.testing.assert_close(found, xb.explain(cnn, "absolute", values.x, values.target).flatten(1).sum(1))


def gap(attribution: Tensor, other_attribution: Tensor, *, other: str = "input_x_gradient") -> Tensor:
    """Distance between two methods' maps."""
    return (attribution - other_attribution).flatten(1).norm(dim=1)


def test_compares_with_another_method(run: Runner, mlp: nn.Module) -> None:
    done = run(models={"mlp": mlp}, methods="saliency,input_x_gradient", metrics=[gap])
    scores = done.scores.groupby("method")["score"]
    assert (scores.max()["input_x_gradient"], scores.min()["saliency"] > 0) == (0, True)


def test_another_method_that_does_not_apply_makes_the_cell_inapplicable(run: Runner, mlp: nn.Module) -> None:
    def to_gradcam(attribution: Tensor, other_attribution: Tensor, *, other: str = "gradcam") -> Tensor:
        return (attribution - other_attribution).flatten(1).norm(dim=1)

    cells = run(models={"mlp": mlp}, methods="saliency", metrics=[to_gradcam]).cells
    assert list(cells["status"]) == ["inapplicable"]
    assert "convolution" in cells["note"][0]


def test_the_other_method_must_be_named() -> None:
    def nameless(attribution: Tensor, other_attribution: Tensor) -> Tensor:
        return attribution

    with pytest.raises(XaiboardError, match="needs a setting that names whose: other='saliency'"):
        make_metric(nameless)


def test_the_other_method_is_part_of_what_a_score_is_of() -> None:
    identity = choose(make_metric(gap)).identity
    assert identity["base"] == choose(xb.methods["input_x_gradient"]).identity
