"""Symmetric relevance gain: deletion and insertion together, the best order, random maps."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, XaiboardError, metrics
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared.baselines import Baseline
from xaiboard.metrics.shared.removal import RemovalCurve, random_order_curves

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
@pytest.mark.parametrize("steps", [5, 28])
def test_is_insertion_less_deletion(
    measure: Measure, net: nn.Module, x: Tensor, baseline: Baseline, steps: int, random_map: Draw
) -> None:
    """Which are tested against erasing pixels one by one; for ``win_rate``, their mean."""
    target, reference = net(x).argmax(1), Reference(torch.full_like(x[0], 0.3), x)
    settings = {"baseline": baseline, "steps": steps}
    curves = random_order_curves(
        net, x, target, SampleRng(0, range(6), ""), reference, removal=RemovalCurve(baseline, steps)
    )
    given = {"model": net, "x": x, "target": target, "attribution": random_map(x), "reference": reference}
    up, down, found = (
        measure(name, **given, **settings, random_order_curves=curves)
        for name in ("insertion", "deletion", "srg")
    )
    for column in ("", "retention"):
        torch.testing.assert_close(found[column], up[column] - down[column])
    torch.testing.assert_close(found["win_rate"], (up["win_rate"] + down["win_rate"]) / 2)
    torch.testing.assert_close(found["curve"], up["curve"].flip(1) - down["curve"])


def test_no_order_beats_the_exact_one(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor, random_map: Draw
) -> None:
    given = {"model": two_classes, "x": x, "target": target}
    best = measure("srg", **given, attribution=w * x)
    for other in [random_map(x, seed) for seed in range(10)] + [w.expand_as(x), x, w.abs() * x, -w * x]:
        assert (measure("srg", **given, attribution=other)[""] < best[""]).all()
    assert torch.equal(best["win_rate"], torch.ones(6).double())
    assert torch.equal(measure("srg", **given, attribution=-w * x)["win_rate"], torch.zeros(6).double())


def test_the_negative_map_has_the_negative_gain(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    given = {"model": net, "x": x, "target": net(x).argmax(1)}
    one, other = (measure("srg", **given, attribution=sign * random_map(x)) for sign in (1, -1))
    for column in ("", "retention", "curve"):
        torch.testing.assert_close(other[column], -one[column])
    torch.testing.assert_close(other["win_rate"], 1 - one["win_rate"])


def test_a_linear_probability_has_the_gain_of_its_losses(
    measure: Measure, linear_probability: nn.Module, w: Tensor, x: Tensor, target: Tensor
) -> None:
    """After m of P pixels the two curves differ by the m largest losses less the m smallest."""
    loss = x * 0.8 * w.abs() / w.abs().sum()
    found = measure("srg", model=linear_probability, x=x, target=target, attribution=loss, steps=56)
    ordered = loss.sum(1).flatten(1).sort(1).values
    gap = ordered.flip(1).cumsum(1) - ordered.cumsum(1)
    torch.testing.assert_close(found["curve"][:, 1:], gap)
    torch.testing.assert_close(found[""], gap.sum(1) / 56)


def test_a_random_map_gains_nothing(measure: Measure, net: nn.Module, x: Tensor, random_map: Draw) -> None:
    """The gain is symmetric about 0, since the reverse of a random order is as likely; four standard errors."""
    x = x[:1].expand(240, -1, -1, -1)
    found = measure("srg", model=net, x=x, target=net(x).argmax(1), attribution=random_map(x), steps=7)
    for value in (found[""], found["retention"], found["win_rate"] - 0.5):
        assert abs(value.mean()) < 4 * value.std() / 240**0.5
        assert value.std() > 0


def test_a_map_without_order_is_a_random_order(measure: Measure, net: nn.Module, x: Tensor) -> None:
    given = {"model": net, "x": x, "target": net(x).argmax(1)}
    found = [measure("srg", **given, attribution=torch.full_like(x, value)) for value in (0.0, 2.0, -2.0)]
    assert all(torch.equal(other["curve"], found[0]["curve"]) for other in found)
    one_hot = torch.zeros_like(x)
    one_hot[:, :, 3, 2] = 1e-40
    assert all(value.isfinite().all() for value in measure("srg", **given, attribution=one_hot).values())


def test_random_orders_are_those_of_deletion() -> None:
    assert metrics["srg"].shared["random_order_curves"].function is random_order_curves
    own = metrics["srg"].settings
    assert all(own[key].default == metrics["deletion"].settings[key].default for key in own)


def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor
) -> None:
    with pytest.raises(XaiboardError, match="setting 'steps' of 'srg' must be at least 2; got '1'"):
        measure("srg", model=net, x=x, target=target, attribution=x, steps=1)
