"""Deletion and insertion against erasing pixels one by one, and on maps that order nothing."""

from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, Weighted, XaiboardError, metrics
from xaiboard.metrics.shared.baselines import baseline_image
from xaiboard.metrics.shared.removal import _normalised, random_order_curves

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]
Baseline = Literal["zero", "mean", "blur"]


@torch.no_grad()
def one_by_one(
    net: nn.Module, x: Tensor, erased: Tensor, target: Tensor, a: Tensor, steps: int, insert: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Curves of probability and margin, their areas, and retention, by a loop over samples, pixels and steps."""
    curves, areas, margins, margin_areas, kept = [], [], [], [], []
    for image, blank, chosen, values in zip(x, erased, target.tolist(), a.sum(1), strict=True):
        height, width = values.shape
        pixels = sorted(
            ((i, j) for i in range(height) for j in range(width)), key=lambda p: -values[p].item()
        )
        current, goal = (blank.clone(), image) if insert else (image.clone(), blank)
        curve, margin, fractions, same, done = [], [], [], 0, 0
        for step in range(steps + 1):
            count = int(step * len(pixels) / steps + 0.5)
            for i, j in pixels[done:count]:
                current[:, i, j] = goal[:, i, j]
            done = count
            logits = net(current[None])[0]
            curve.append((logits[chosen] - logits.logsumexp(0)).exp().item())
            rivals = [logit.item() for place, logit in enumerate(logits) if place != chosen]
            margin.append(logits[chosen].item() - max(rivals))
            fractions.append(count / len(pixels))
            same += int(logits.argmax()) == chosen
        widths = [fractions[s + 1] - fractions[s] for s in range(steps)]
        areas.append(sum(widths[s] * (curve[s] + curve[s + 1]) / 2 for s in range(steps)))
        margin_areas.append(sum(widths[s] * (margin[s] + margin[s + 1]) / 2 for s in range(steps)))
        curves.append(curve)
        margins.append(margin)
        kept.append(same / (steps + 1))
    found = (torch.tensor(values, dtype=x.dtype) for values in (curves, areas, margins, margin_areas, kept))
    return tuple(found)  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
@pytest.mark.parametrize("name", ["deletion", "insertion"])
@pytest.mark.parametrize("steps", [5, 28])
def test_agrees_with_erasing_pixels_one_by_one(
    measure: Measure, net: nn.Module, x: Tensor, name: str, baseline: Baseline, steps: int, random_map: Draw
) -> None:
    """Against a second implementation that shares nothing with the first but the definition."""
    target, a = net(x).argmax(1), random_map(x)
    reference = Reference(torch.full_like(x[0], 0.3), x)
    erased = baseline_image(x, reference, baseline)
    found = measure(
        name,
        model=net,
        x=x,
        target=target,
        attribution=a,
        reference=reference,
        baseline=baseline,
        steps=steps,
    )
    insert = name == "insertion"
    curves, areas, margins, margin_areas, kept = one_by_one(net, x, erased, target, a, steps, insert)
    torch.testing.assert_close(found["curve"], curves)
    torch.testing.assert_close(found[""], areas)
    torch.testing.assert_close(found["retention"], kept)
    intact, gone = (margins[:, -1], margins[:, 0]) if insert else (margins[:, 0], margins[:, -1])
    score, weight = found["normalised"]
    torch.testing.assert_close(score * weight, margin_areas - gone)
    torch.testing.assert_close(weight, intact - gone)


def test_the_curve_runs_from_the_intact_to_the_erased_input(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    target = net(x).argmax(1)
    with torch.no_grad():
        intact = net(x).softmax(1)[torch.arange(6), target]
        gone = net(torch.zeros_like(x)).softmax(1)[torch.arange(6), target]
    given = {"model": net, "x": x, "target": target, "attribution": random_map(x)}
    down, up = (measure(name, **given)["curve"] for name in ("deletion", "insertion"))
    torch.testing.assert_close(down[:, 0], intact)
    torch.testing.assert_close(down[:, -1], gone)
    torch.testing.assert_close(up[:, 0], gone)
    torch.testing.assert_close(up[:, -1], intact)


@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_a_map_without_order_is_a_random_order(
    measure: Measure, net: nn.Module, x: Tensor, name: str
) -> None:
    """Zero and constant maps, of either sign: the same permutation, no rank correlation, all columns finite."""
    given = {"model": net, "x": x, "target": net(x).argmax(1)}
    found = [measure(name, **given, attribution=torch.full_like(x, value)) for value in (0.0, 2.0, -2.0)]
    for other in found:
        assert torch.equal(other["curve"], found[0]["curve"])
        for column in ("", "retention", "win_rate", "patch_correlation"):
            assert other[column].isfinite().all()
    assert torch.equal(found[0]["patch_correlation"], torch.zeros(6).double())


def test_one_hot_pixel_goes_first(measure: Measure, net: nn.Module, x: Tensor) -> None:
    a, target = torch.zeros_like(x), net(x).argmax(1)
    a[:, :, 3, 2] = 1.0
    curve = measure("deletion", model=net, x=x, target=target, attribution=a, steps=56)["curve"]
    x = x.clone()
    x[:, :, 3, 2] = 0
    torch.testing.assert_close(curve[:, 1], net(x).softmax(1)[torch.arange(6), target].detach())


def test_an_image_that_is_its_own_baseline_is_a_tie(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    """Nothing changes: half of the wins, no correlation, and a weight that keeps the score finite."""
    x = torch.zeros_like(x)
    found = measure("deletion", model=net, x=x, target=net(x).argmax(1), attribution=random_map(x))
    assert torch.equal(found["win_rate"], torch.full((6,), 0.5).double())
    assert torch.equal(found["retention"], torch.ones(6).double())
    assert torch.equal(found["patch_correlation"], torch.zeros(6).double())
    assert isinstance(found["normalised"], Weighted)
    torch.testing.assert_close(found["normalised"].weight, torch.full((6,), 1e-6).double())
    assert (found["normalised"].score.abs() < 1e-6).all()


def test_tiny_weights_keep_their_sign() -> None:
    area, intact = torch.full((2, 4), 0.5, dtype=torch.float64)
    scale = torch.tensor([0.0, 0.3, -0.3, -1e-7], dtype=torch.float64)
    expected = torch.tensor([1e-6, 0.3, -0.3, -1e-6], dtype=torch.float64)
    score, weight = _normalised(area - 0.2, intact, intact - scale)
    torch.testing.assert_close(weight, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(score * weight, scale - 0.2, rtol=1e-9, atol=1e-12)


def test_works_on_vectors(measure: Measure, x: Tensor) -> None:
    net = nn.Linear(20, 3).double()
    x = torch.rand(6, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = net(x).argmax(1)
    product = (net.weight[target] * x).detach()
    for name in ("deletion", "insertion"):
        found = measure(name, model=net, x=x, target=target, attribution=product, patch=2)
        torch.testing.assert_close(found["patch_correlation"], torch.ones(6).double())
        assert found["curve"].shape == (6, 29)


@pytest.mark.parametrize(
    "settings", [{"steps": 1}, {"orders": 0}, {"patch": 0}], ids=["steps", "orders", "patch"]
)
@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor, name: str, settings: dict[str, int]
) -> None:
    with pytest.raises(XaiboardError, match=f"setting '{next(iter(settings))}' of '{name}' must be at least"):
        measure(name, model=net, x=x, target=target, attribution=x, **settings)


def test_random_orders_are_shared_by_both_metrics() -> None:
    shared = [metrics[name].shared["random_order_curves"].function for name in ("deletion", "insertion")]
    assert shared == [random_order_curves] * 2
    for name in ("deletion", "insertion"):
        own = metrics[name].settings
        for value in metrics[name].shared.values():
            assert all(own[key].default == setting.default for key, setting in value.settings.items())
