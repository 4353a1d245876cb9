"""Robustness-S_r: distances to a plane within a set of pixels, the scale of logits, and where nothing is found."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.toolkit.minimal_attacks import ddn
from xaiboard.benchmark.toolkit.pgd import margin
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.robustness_sr import AttackedSets, random_set_distances

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]
SIZES = [6, 11, 17, 22, 28]
"""10 to 50 % of 56 pixels."""


class Plane(nn.Module):
    """Logits ``(f, -f)`` with ``f = w . (x - 1/2)``."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = w

    def forward(self, x: Tensor) -> Tensor:
        f = ((x - 0.5) * self.w).flatten(1).sum(1)
        return torch.stack([f, -f], 1)


@pytest.fixture
def near(x: Tensor, w: Tensor, random_map: Draw) -> Tensor:
    """Inputs at distances .02 to .12 from the plane, on its positive side, in the middle of the box."""
    unit = w / w.norm()
    noise = 0.05 * random_map(x)
    noise = noise - (noise * unit).flatten(1).sum(1).view(-1, 1, 1, 1) * unit
    return 0.5 + noise + torch.linspace(0.02, 0.12, 6).double().view(-1, 1, 1, 1) * unit


def to_plane(w: Tensor, x: Tensor, order: Tensor) -> Tensor:
    """``|f(x)| / |w on the set|`` for each size, ``(B, 5)``."""
    f = ((x - 0.5) * w).flatten(1).sum(1, keepdim=True)
    squares = w.square().sum(0).flatten()[order]
    return f / torch.stack([squares[:, :k].sum(1).sqrt() for k in SIZES], 1)


def test_is_the_distance_to_a_plane_within_the_set(
    measure: Measure, w: Tensor, near: Tensor, target: Tensor, random_map: Draw
) -> None:
    a = random_map(near)
    given = {"model": Plane(w), "x": near, "target": target, "steps": 60}
    rivals = random_set_distances(
        Plane(w), near, target, SampleRng(2, range(6), ""), sets=AttackedSets(steps=60)
    )
    random = SampleRng(2, range(6), "").permutation(near, 56)
    order = a.sum(1).flatten(1).argsort(1, descending=True)
    expected, random_curve = to_plane(w, near, order), to_plane(w, near, random)
    free = ((near - 0.5) * w).flatten(1).sum(1) / w.norm()
    torch.testing.assert_close(rivals, torch.cat([random_curve, free[:, None]], 1), rtol=1e-3, atol=0)
    found = measure("robustness_sr", **given, attribution=a, random_set_distances=rivals)
    torch.testing.assert_close(found["curve"], expected, rtol=1e-3, atol=0)
    torch.testing.assert_close(found[""], expected.mean(1), rtol=1e-3, atol=0)
    for column, other in (("vs_random", random_curve.mean(1)), ("vs_free", free)):
        score, weight = found[column]
        torch.testing.assert_close(score, expected.mean(1) / other, rtol=3e-3, atol=0)
        torch.testing.assert_close(weight, other, rtol=1e-3, atol=0)
    assert torch.equal(found["found"], torch.ones(6).double())


def test_the_largest_weights_are_the_nearest_way(
    measure: Measure, w: Tensor, near: Tensor, target: Tensor, random_map: Draw
) -> None:
    given = {"model": Plane(w), "x": near, "target": target, "sizes": 2}
    size = w.square().sum(0, keepdim=True).expand_as(near)
    best, worst = (measure("robustness_sr", **given, attribution=sign * size) for sign in (1, -1))
    for seed in range(3):
        other = measure("robustness_sr", **given, attribution=random_map(near, seed))[""]
        assert (best[""] < other).all()
        assert (other < worst[""]).all()
    assert (best["vs_random"][0] < 1).all()
    assert (worst["vs_random"][0] > 1).all()
    assert (best["vs_free"][0] > 1).all()


def test_what_holds_for_a_set_holds_for_larger_ones(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    """With few steps the attack by itself goes farther within some larger sets."""
    given = {"model": net, "x": x, "target": net(x).argmax(1), "steps": 3, "largest": 0.9}
    for seed in range(3):
        found = measure("robustness_sr", **given, attribution=random_map(x, seed), sizes=12)
        assert (found["curve"].diff(dim=1) <= 0).all()
        assert (found["curve"].diff(dim=1) < 0).any()


def test_the_attack_leaves_the_other_pixels_alone(net: nn.Module, x: Tensor) -> None:
    label = net(x).argmax(1)
    mask = torch.zeros_like(x[:, :1])
    mask[:, :, 2:6] = 1
    change, step = ddn(net, x, label, steps=30, mask=mask)
    assert torch.equal(change * (1 - mask), torch.zeros_like(x))
    assert (step <= 30).any()
    everywhere = ddn(net, x, label, steps=30, mask=torch.ones_like(x))
    assert all(
        torch.equal(one, other) for one, other in zip(ddn(net, x, label, steps=30), everywhere, strict=True)
    )


def test_a_prediction_that_is_another_one_is_at_distance_0(
    measure: Measure, net: nn.Module, x: Tensor
) -> None:
    other = (net(x).argmax(1) + 1) % 5
    found = measure("robustness_sr", model=net, x=x, target=other, attribution=x, steps=3, sizes=2)
    assert torch.equal(found[""], torch.zeros(6).double())
    assert torch.equal(found["vs_random"][1], torch.zeros(6).double())
    assert found["vs_random"][0].isfinite().all()


def test_where_nothing_is_found_it_is_the_farthest_corner(
    measure: Measure, w: Tensor, x: Tensor, target: Tensor
) -> None:
    found = measure("robustness_sr", model=Plane(0 * w), x=x, target=target, attribution=x, steps=3, sizes=2)
    corner = torch.maximum(x, 1 - x).flatten(1).norm(dim=1)
    torch.testing.assert_close(found[""], corner)
    assert torch.equal(found["found"], torch.zeros(6).double())
    assert torch.equal(found["vs_random"][0], torch.ones(6).double())


def test_works_on_vectors_and_maps_without_order(
    measure: Measure, w: Tensor, near: Tensor, target: Tensor
) -> None:
    net = Plane(w.flatten())
    given = {"model": net, "x": near.flatten(1), "target": target, "sizes": 1, "steps": 20}
    found = [
        measure("robustness_sr", **given, attribution=torch.full_like(given["x"], v))[""] for v in (0.0, 1.0)
    ]
    assert torch.equal(found[0], found[1])
    assert (margin(net(near.flatten(1)), target) < 0).all()


@pytest.mark.parametrize("settings", [{"sizes": 0}, {"steps": 0}, {"largest": 1.0}])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor, settings: dict[str, float]
) -> None:
    with pytest.raises(XaiboardError, match=f"setting '{next(iter(settings))}' of 'robustness_sr' must be"):
        measure("robustness_sr", model=net, x=x, target=target, attribution=x, **settings)
