"""Convolutions are channels-last on large images alone; scores stay, and a network is left as it was."""

from __future__ import annotations

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.engine.batching import Batcher
from xaiboard.benchmark.engine.conditions import Conditions
from xaiboard.benchmark.engine.scores import score
from xaiboard.benchmark.engine.values import Values
from xaiboard.benchmark.subjects import layout
from xaiboard.benchmark.subjects.examination import examined
from xaiboard.benchmark.subjects.trained_models import TrainedModel, module_digest
from xaiboard.benchmark.toolkit.data import Data


class Viewing(nn.Module):
    """Two convolutions, and the ``view`` on their output that channels-last does not allow."""

    def __init__(self, network: nn.Sequential) -> None:
        super().__init__()
        self.network = network[:4]

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x).view(len(x), -1)[:, :4]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 6, 5, 2), nn.ReLU(), nn.Conv2d(6, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 4)).eval().requires_grad_(requires_grad=False)


def images(side: int) -> Tensor:
    return torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(0))


def is_laid_out(model: nn.Module) -> bool:
    weights = [layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    return all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights)


def values_of(model: nn.Module, x: Tensor) -> Values:
    data = Data(x, torch.zeros(len(x), dtype=torch.long), list("abcd"))
    return Values(TrainedModel("model", "own", model, ""), data, None, Conditions(), Batcher(2, "cpu"))


@pytest.mark.parametrize("side", [layout.SIDE, 28])
def test_weights_of_large_images_are_channels_last_and_their_digest_stays(side: int) -> None:
    model = network()
    before = module_digest(model)
    examined(TrainedModel("model", "own", model, before), images(side))
    assert is_laid_out(model) is (side == layout.SIDE)
    assert module_digest(model) == before


METHODS = "saliency", "integrated_gradients[steps=4]", "gradcam", "lrp_epsilon", "deeplift", "guided_gradcam"
METRICS = (
    "deletion[steps=4,patch=16,orders=2]",
    "insertion[steps=4,patch=16,orders=2]",
    "max_sensitivity[draws=2]",
)


def test_maps_and_scores_of_both_layouts_agree() -> None:
    plain, other = network(), network()
    layout.lay_out(other, images(layout.SIDE))
    assert is_laid_out(other)
    both = [values_of(model, images(layout.SIDE)) for model in (plain, other)]
    for method in select(xb.methods, METHODS):
        one, two = (values.attribution(method) for values in both)
        assert two.is_contiguous()
        torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-5 * float(one.abs().max()), msg=method.label)
    (method,) = select(xb.methods, "gradcam")
    for metric in select(xb.metrics, METRICS):
        one, two = (score(values, metric, method, None).score[""] for values in both)
        torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-6, msg=metric.label)


def test_a_network_that_relies_on_the_layout_keeps_its_own() -> None:
    model = Viewing(network())
    assert not layout.lay_out(model, images(layout.SIDE))
    assert not is_laid_out(model)
    assert model(images(layout.SIDE)).shape == (3, 4)


def test_an_object_of_the_user_has_its_layout_during_the_call_alone() -> None:
    model, seen = network(), []
    pointers = [each.data_ptr() for each in model.parameters()]

    def failing(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
        seen.append(is_laid_out(model))
        raise ValueError("no map")

    with pytest.raises(ValueError, match="no map"):
        xb.explain(model, failing, images(layout.SIDE), torch.zeros(3, dtype=torch.long))
    assert seen == [True]
    assert not is_laid_out(model)
    assert [each.data_ptr() for each in model.parameters()] == pointers


def test_computed_weights_stay_as_they_are() -> None:
    model = network()
    nn.utils.parametrizations.weight_norm(model[0])
    layout.lay_out(model, images(layout.SIDE))
    laid_out = {
        name: weight.is_contiguous(memory_format=torch.channels_last)
        for name, weight in model.named_parameters()
        if weight.ndim == 4 and weight.numel() > len(weight)
    }
    assert laid_out == {"0.parametrizations.weight.original1": False, "2.weight": True}
