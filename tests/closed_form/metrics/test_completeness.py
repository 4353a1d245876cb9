"""Linear models: weight times displacement adds up exactly, for any baseline."""

from collections.abc import Callable

import pytest
import torch
import xaiboard.benchmark as xb
from torch import Tensor, nn
from xaiboard.benchmark.toolkit.data import Reference
from xaiboard.metrics.shared.baselines import baseline_image

Measure = Callable[..., dict[str, tuple[Tensor, Tensor]]]


def gap(
    measure: Measure,
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    a: Tensor,
    reference: Reference | None = None,
    **settings: str,
) -> tuple[Tensor, Tensor]:
    """Score and weight."""
    given = {"model": model, "x": x, "target": target, "logits": model(x).detach(), "reference": reference}
    return measure("completeness", attribution=a, **given, **settings)[""]


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
def test_weight_times_displacement_adds_up(
    measure: Measure, two_classes: nn.Module, x: Tensor, target: Tensor, w: Tensor, baseline: str
) -> None:
    reference = Reference(x.mean(0), x)
    moved = x - baseline_image(x, reference, baseline)  # type: ignore[arg-type]
    a = 0.3 * w * moved
    score, weight = gap(measure, two_classes, x, target, a, reference, baseline=baseline)
    torch.testing.assert_close(score, torch.zeros(6).double())
    torch.testing.assert_close(weight, a.flatten(1).sum(1).abs())
    opposite, _ = gap(measure, two_classes, x, 1 - target, a, reference, baseline=baseline)
    torch.testing.assert_close(opposite, torch.full((6,), 2.0).double())


def test_the_gap_is_relative_to_the_change_of_the_logit(
    measure: Measure, two_classes: nn.Module, x: Tensor, target: Tensor, w: Tensor
) -> None:
    a = 0.3 * w * x
    for factor, expected in ((0.0, 1.0), (0.5, 0.5), (3.0, 2.0), (-1.0, 2.0)):
        score, _ = gap(measure, two_classes, x, target, factor * a)
        torch.testing.assert_close(score, torch.full((6,), expected).double())
    gradient = (0.3 * w).expand_as(x)
    score, weight = gap(measure, two_classes, x, target, gradient)
    change = a.flatten(1).sum(1)
    torch.testing.assert_close(score * weight, (0.3 * w.sum() - change).abs())


def test_integrated_gradients_add_up_and_gradients_do_not(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor
) -> None:
    scores = {
        method: gap(measure, net, x, target, xb.explain(net, method, x, target))[0]
        for method in ("integrated_gradients[steps=256]", "input_x_gradient")
    }
    assert scores["integrated_gradients[steps=256]"].max() < 0.01
    assert scores["input_x_gradient"].min() > 0.1


def test_temperature_counts_unless_the_map_follows(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor
) -> None:
    """Which is why models are not compared: maps that ignore the scale of the logits are judged by it."""

    class Cooled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return net(x) / 4

    a = xb.explain(net, "input_x_gradient", x, target)
    expected, weight = gap(measure, net, x, target, a)
    followed, less = gap(measure, Cooled(), x, target, a / 4)
    torch.testing.assert_close(followed, expected)
    torch.testing.assert_close(less, weight / 4)
    assert not torch.allclose(gap(measure, Cooled(), x, target, a)[0], expected, rtol=0.1)


def test_inputs_that_change_nothing_have_no_weight(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor
) -> None:
    black = torch.zeros_like(x)
    for a, expected in ((black, 0.0), (x, 1e6), (1e-30 * x, 1e6)):
        score, weight = gap(measure, net, black, target, a)
        torch.testing.assert_close(score, torch.full((6,), expected).double())
        assert weight.tolist() == [0] * 6
