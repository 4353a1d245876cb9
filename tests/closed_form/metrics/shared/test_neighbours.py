"""Metrics that explain random neighbours: closed forms on ``e(z) = w z``, whose map moves by ``w d``, and loops."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, metrics
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared.neighbours import Around

Measure = Callable[..., dict[str, Any]]
NAMES = ["max_sensitivity", "average_sensitivity", "stability", "local_lipschitz_estimate"]
RELATIVE = ["relative_input_stability", "relative_output_stability"]


def noise(name: str, x: Tensor, radius: float, draws: int) -> Iterator[Tensor]:
    """What a metric draws."""
    rng = SampleRng(0, range(len(x)), name)
    return (rng.uniform(x, -radius, radius) for _ in range(draws))


# average sensitivity


def test_the_average_is_that_of_weight_times_noise(measure: Measure, x: Tensor, w: Tensor) -> None:
    given = {"explain": lambda z: w * z, "x": x, "attribution": w * x, "radius": 0.1, "draws": 4}
    ratios = [
        [((w * each).norm() / (w * image).norm()).item() for each, image in zip(d, x, strict=True)]
        for d in noise("average_sensitivity", x, 0.1, 4)
    ]
    found = measure("average_sensitivity", **given)[""]
    torch.testing.assert_close(found, torch.tensor(ratios, dtype=torch.float64).mean(0))


def test_one_draw_is_average_and_maximum_alike(x: Tensor, w: Tensor) -> None:
    average, largest = (
        metrics[name].function(
            lambda z: (w * z).sin(), x, (w * x).sin(), SampleRng(0, range(6), "same"), around=Around(draws=n)
        )
        for name, n in (("average_sensitivity", 1), ("max_sensitivity", 1))
    )
    assert torch.equal(average, largest)
    assert (average > 0).all()


def test_average_of_maps_that_vanish(measure: Measure, x: Tensor) -> None:
    """Always: 0. At ``x`` only: at most an infinite ratio cut at 100, here the largest of the draws."""
    zero = torch.zeros_like(x)
    for scale in (1.0, 1e-20):
        given = {"explain": lambda z, s=scale: s * (z - x), "x": x, "attribution": zero}
        found = measure("average_sensitivity", **given)[""]
        norms = torch.stack([d.flatten(1).norm(dim=1) for d in noise("average_sensitivity", x, 0.02, 10)])
        torch.testing.assert_close(found, 100 * norms.mean(0) / norms.amax(0))
    gone = measure("average_sensitivity", explain=torch.zeros_like, x=x, attribution=zero)
    assert torch.equal(gone[""], torch.zeros(6).double())


# stability


def ranks(values: list[float]) -> list[float]:
    return [sum(v < value for v in values) + (values.count(value) - 1) / 2 for value in values]


def slow_spearman(a: list[float], b: list[float]) -> float:
    first, second = (torch.tensor(ranks(values), dtype=torch.float64) for values in (a, b))
    return torch.corrcoef(torch.stack([first, second]))[0, 1].item()


def test_stability_is_the_mean_distance_of_signed_channel_sums(
    measure: Measure, x: Tensor, w: Tensor
) -> None:
    a, totals, apart = (w * x).sin(), torch.zeros(6).double(), torch.zeros(6).double()
    for d in noise("stability", x, 0.5, 3):
        nearby = (w * (x + d)).sin()
        for i in range(6):
            totals[i] += 1 - slow_spearman(*(m[i].sum(0).flatten().tolist() for m in (a, nearby)))
            apart[i] += (nearby[i] - a[i]).pow(2).sum().sqrt()
    found = measure("stability", explain=lambda z: (w * z).sin(), x=x, attribution=a, radius=0.5, draws=3)
    torch.testing.assert_close(found[""], totals / 3)
    torch.testing.assert_close(found["l2"], apart / 3)


def test_stability_of_maps_in_the_same_opposite_and_no_order(measure: Measure, x: Tensor, w: Tensor) -> None:
    ones = torch.ones(6).double()

    def score(explain: Callable[[Tensor], Tensor], a: Tensor) -> Tensor:
        return measure("stability", explain=explain, x=x, attribution=a)[""]

    torch.testing.assert_close(score(lambda z: 7 * w.expand_as(z), w.expand_as(x)), 0 * ones)
    torch.testing.assert_close(score(lambda z: -w.expand_as(z), w.expand_as(x)), 2 * ones)
    for a in (torch.zeros_like(x), torch.ones_like(x)):
        torch.testing.assert_close(score(lambda z, a=a: a, a), ones)


def test_the_l2_distance_of_weight_times_noise(measure: Measure, x: Tensor, w: Tensor) -> None:
    """Own units: it grows with the map, as the rank distance does not."""
    given = {"x": x, "radius": 0.1, "draws": 2}
    small = measure("stability", explain=lambda z: w * z, attribution=w * x, **given)
    large = measure("stability", explain=lambda z: 5 * w * z, attribution=5 * w * x, **given)
    torch.testing.assert_close(large["l2"], 5 * small["l2"])
    torch.testing.assert_close(large[""], small[""])
    norms = [(w * d).flatten(1).norm(dim=1) for d in noise("stability", x, 0.1, 2)]
    torch.testing.assert_close(small["l2"], torch.stack(norms).mean(0))


# local Lipschitz estimate


def test_the_slope_of_a_multiple_is_its_factor(measure: Measure, x: Tensor) -> None:
    found = measure("local_lipschitz_estimate", explain=lambda z: -3 * z, x=x, attribution=-3 * x)
    torch.testing.assert_close(found[""], torch.full((6,), 3.0).double())


def test_the_slope_of_one_pixel_is_its_share_of_the_step(measure: Measure, x: Tensor) -> None:
    """``e(z) = 2 z_0`` in one place: ``2 |d_0| / |d|``, the largest over draws; never beyond the constant 2."""
    hot = torch.zeros_like(x)
    hot[:, 0, 2, 3] = 2
    found = measure(
        "local_lipschitz_estimate", explain=lambda z: hot * z, x=x, attribution=hot * x, radius=0.3, draws=5
    )[""]
    shares = [
        d[:, 0, 2, 3].abs() / d.flatten(1).norm(dim=1) for d in noise("local_lipschitz_estimate", x, 0.3, 5)
    ]
    torch.testing.assert_close(found, 2 * torch.stack(shares).amax(0))


def test_unit_maps_turn_as_far_as_the_angle_says(measure: Measure, x: Tensor) -> None:
    """``|u - v| = 2 sin(angle / 2)``, whatever the scale of the map."""
    for scale in (1.0, 1e-40, 1e30):
        found = measure(
            "local_lipschitz_estimate", explain=lambda z, s=scale: s * z, x=x, attribution=scale * x, draws=3
        )["unit"]
        slopes = []
        for d in noise("local_lipschitz_estimate", x, 0.02, 3):
            cosine = torch.cosine_similarity(x.flatten(1), (x + d).flatten(1), dim=1)
            slopes.append(2 * (cosine.acos() / 2).sin() / d.flatten(1).norm(dim=1))
        torch.testing.assert_close(found, torch.stack(slopes).amax(0))


def test_the_raw_slope_alone_has_the_units_of_the_map(measure: Measure, x: Tensor, w: Tensor) -> None:
    one, ten = (
        measure(
            "local_lipschitz_estimate",
            explain=lambda z, s=s: s * (w * z).sin(),
            x=x,
            attribution=s * (w * x).sin(),
        )
        for s in (1, 10)
    )
    torch.testing.assert_close(ten[""], 10 * one[""])
    torch.testing.assert_close(ten["unit"], one["unit"])
    given = {"explain": w.expand_as, "x": x, "attribution": w.expand_as(x)}
    still = measure("local_lipschitz_estimate", **given)
    assert all(torch.equal(column, torch.zeros(6).double()) for column in still.values())


def test_no_neighbourhood_no_slope(measure: Measure, x: Tensor) -> None:
    found = measure("local_lipschitz_estimate", explain=lambda z: z, x=x, attribution=x, radius=0.0)
    assert all(torch.equal(column, torch.zeros(6).double()) for column in found.values())


# all of them


@pytest.mark.parametrize("name", [*NAMES[1:], *RELATIVE])
@pytest.mark.parametrize("settings", [{"draws": 0}, {"radius": -0.1}], ids=["draws", "radius"])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, name: str, settings: dict[str, float]
) -> None:
    given = {"model": net, "logits": net(x).detach()} if name in RELATIVE else {}
    with pytest.raises(XaiboardError, match=f"of '{name}' must be at least"):
        measure(name, explain=torch.zeros_like, x=x, attribution=x, **given, **settings)


def test_neighbours_are_not_clamped_and_stay_in_the_ball(measure: Measure, net: nn.Module, x: Tensor) -> None:
    for name in (*NAMES, *RELATIVE):
        white, seen = torch.ones_like(x), []

        def explain(z: Tensor, seen: list[Tensor] = seen) -> Tensor:
            seen.append(z)
            return z

        given = {"model": net, "logits": net(white).detach()} if name in RELATIVE else {}
        measure(name, explain=explain, x=white, attribution=white, **given, radius=0.05, draws=3)
        assert len(seen) == 3
        distance = (torch.stack(seen) - 1).abs().amax().item()
        assert 0.049 < distance <= 0.05
        assert torch.stack(seen).amax() > 1.04
