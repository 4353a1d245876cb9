"""What is known of deletion and insertion: the best order, random orders."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared.removal import RemovalCurve, random_order_curves

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]


def test_insertion_is_deletion_of_the_negative_map_read_backwards(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    target, a = net(x).argmax(1), random_map(x)
    curves = random_order_curves(net, x, target, SampleRng(0, range(6), ""), None)
    given = {"model": net, "x": x, "target": target, "random_order_curves": curves}
    up, down = measure("insertion", **given, attribution=a), measure("deletion", **given, attribution=-a)
    torch.testing.assert_close(up["curve"], down["curve"].flip(1))
    for column in ("", "retention"):
        torch.testing.assert_close(up[column], down[column])
    torch.testing.assert_close(up["win_rate"], 1 - down["win_rate"])


def test_no_order_beats_the_exact_one(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor, random_map: Draw
) -> None:
    """Logits ``(w x, -w x)``: the probability rises with ``w x`` alone, so the order of ``w x`` is optimal."""
    given = {"model": two_classes, "x": x, "target": target}
    lowest = measure("deletion", **given, attribution=w * x)[""]
    highest = measure("insertion", **given, attribution=w * x)[""]
    others = [random_map(x, seed) for seed in range(20)] + [w.expand_as(x), x, w.abs() * x, -w * x]
    for other in others:
        assert (measure("deletion", **given, attribution=other)[""] > lowest).all()
        assert (measure("insertion", **given, attribution=other)[""] < highest).all()


@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_the_exact_order_wins_always_and_its_reverse_never(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor, name: str
) -> None:
    given = {"model": two_classes, "x": x, "target": target, "orders": 20}
    assert torch.equal(measure(name, **given, attribution=w * x)["win_rate"], torch.ones(6).double())
    assert torch.equal(measure(name, **given, attribution=-w * x)["win_rate"], torch.zeros(6).double())


def test_a_random_map_wins_half_of_the_time(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    """Its rank among K random orders is uniform: mean 1/2, variance (K + 2) / 12 K; four standard errors."""
    orders, samples = 10, 240
    x = x[:1].expand(samples, -1, -1, -1)
    found = measure(
        "deletion", model=net, x=x, target=net(x).argmax(1), attribution=random_map(x), steps=7, orders=orders
    )
    error = ((orders + 2) / (12 * orders) / samples) ** 0.5
    assert abs(found["win_rate"].mean() - 0.5) < 4 * error


def test_a_random_order_erases_a_linear_probability_on_a_straight_line(
    linear_probability: nn.Module, w: Tensor, x: Tensor, target: Tensor
) -> None:
    """Expected loss after m of P pixels: m / P of the whole; its variance, drawn without replacement, is known."""
    orders, steps = 400, 7
    x = x[:2]
    removal = RemovalCurve(steps=steps, orders=orders)
    rng = SampleRng(0, range(2), "")
    curves = random_order_curves(linear_probability, x, target[:2], rng, None, removal=removal)[..., 0]
    losses = (x * 0.8 * w.abs() / w.abs().sum()).sum(1).flatten(1)
    pixels = losses.shape[1]
    m = torch.arange(steps + 1).double() * pixels / steps
    line = 0.1 + losses.sum(1, keepdim=True) * (1 - m / pixels)
    variance = losses.var(1, keepdim=True) * m * (1 - m / pixels)
    assert ((curves.mean(1) - line).abs() <= 4 * (variance / orders).sqrt() + 1e-12).all()
    assert (variance[:, 1:-1] > 0).all()


def test_an_order_and_its_reverse_make_up_for_each_other_on_a_linear_probability(
    measure: Measure, linear_probability: nn.Module, x: Tensor, target: Tensor, random_map: Draw
) -> None:
    """What one order erases late the other erases early: the areas sum to start plus end, exactly."""
    given = {"model": linear_probability, "x": x, "target": target}
    forth, back = (measure("deletion", **given, attribution=a) for a in (random_map(x), -random_map(x)))
    torch.testing.assert_close(forth[""] + back[""], forth["curve"][:, 0] + forth["curve"][:, -1])


def test_and_so_do_the_normalised_areas_on_a_linear_margin(
    measure: Measure, two_classes: nn.Module, x: Tensor, target: Tensor, random_map: Draw
) -> None:
    given = {"model": two_classes, "x": x, "target": target}
    forth, back = (measure("deletion", **given, attribution=a) for a in (random_map(x), -random_map(x)))
    torch.testing.assert_close(forth["normalised"][0] + back["normalised"][0], torch.ones(6).double())


def test_both_curves_share_their_points_when_half_a_pixel_is_rounded(
    measure: Measure, random_map: Draw
) -> None:
    """Of 49 pixels in two steps, 24 or 25 go first: insertion puts in what deletion has left."""
    x = torch.rand(6, 1, 7, 7, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    layer = nn.Linear(49, 3).double()
    net = nn.Sequential(nn.Flatten(), layer, nn.Tanh()).eval()
    given = {"model": net, "x": x, "target": torch.zeros(6, dtype=torch.int64), "steps": 2}
    up = measure("insertion", **given, attribution=random_map(x))
    down = measure("deletion", **given, attribution=-random_map(x))
    torch.testing.assert_close(up["curve"], down["curve"].flip(1))
    torch.testing.assert_close(up["win_rate"], 1 - down["win_rate"])
