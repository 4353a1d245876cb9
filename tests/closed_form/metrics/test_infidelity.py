"""Infidelity: linear models, changes made one by one, captum on the same changes, maps that say nothing."""

from collections.abc import Callable
from math import floor
from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.infidelity import Changes, _changes, change_drops
from xaiboard.metrics.shared.baselines import Baseline, baseline_image
from xaiboard.metrics.shared.subsets import drawn_by

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]
Change = Literal["square", "noise"]


@pytest.mark.parametrize("scale", [1.0, -3.0, 1e-40])
@pytest.mark.parametrize(("change", "baseline"), [("square", "mean"), ("square", "blur"), ("noise", "zero")])
def test_is_0_for_the_exact_map_of_a_linear_model(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor,
    change: Change, baseline: Baseline, scale: float,
) -> None:  # fmt: skip
    """Contributions for squares, gradients for noise, in any unit and of either sign; the cosine knows the sign."""
    reference = Reference(torch.full_like(x[0], 0.3), x)
    exact = w.expand_as(x) if change == "noise" else w * (x - baseline_image(x, reference, baseline))
    given = {"model": two_classes, "x": x, "target": target, "reference": reference, "baseline": baseline}
    found = measure("infidelity", **given, change=change, draws=20, attribution=scale * exact)
    for column in ("", "normalised"):
        torch.testing.assert_close(found[column], torch.zeros(6).double(), rtol=0, atol=1e-10)
    torch.testing.assert_close(found["cosine"], torch.full((6,), 1.0 if scale > 0 else -1.0).double())


def test_squares_made_one_by_one(measure: Measure, net: nn.Module, x: Tensor, random_map: Draw) -> None:
    """A loop over samples, draws and pixels, with the best scale from least squares."""
    target, a = net(x).argmax(1), random_map(x)
    settings = {"patch": 9, "draws": 15, "baseline": "blur"}
    drops = change_drops(net, x, target, SampleRng(3, range(6), ""), None, changes=Changes(**settings))
    blank, expected = baseline_image(x, None, "blur"), []
    for i in range(6):
        stream, said, lost = drawn_by(drops[i : i + 1, :1]), [], []
        for _ in range(15):
            size, down, across = stream.uniform(x.new_empty(1, 3))[0].tolist()
            side = 1 + floor(9 * size)
            height, width = min(side, 8), min(side, 7)
            top, left = floor(down * (8 - height + 1)), floor(across * (7 - width + 1))
            changed, total = x[i].clone(), 0.0
            for row in range(top, top + height):
                for column in range(left, left + width):
                    changed[:, row, column] = blank[i, :, row, column]
                    total += a[i, :, row, column].sum().item()
            said.append(total)
            with torch.no_grad():
                lost.append((net(x[i : i + 1]) - net(changed[None]))[0, target[i]].item())
        said, lost = (torch.tensor(values, dtype=x.dtype)[:, None] for values in (said, lost))
        fitted = said @ torch.linalg.lstsq(said, lost).solution
        expected.append(((fitted - lost) ** 2).mean())
    found = measure("infidelity", attribution=a, change_drops=drops, **settings)
    torch.testing.assert_close(found[""], torch.stack(expected))
    torch.testing.assert_close(found["normalised"], found[""] / drops[:, 1:].square().mean(1))
    torch.testing.assert_close(found["normalised"], 1 - found["cosine"] ** 2)


@pytest.mark.parametrize("change", ["square", "noise"])
def test_is_that_of_captum_with_normalize(
    measure: Measure, net: nn.Module, x: Tensor, change: Change, random_map: Draw
) -> None:
    """On the same changes; without ``normalize`` captum's value is the attribution's unit more than its content."""
    captum_metrics = pytest.importorskip("captum.metrics")
    target, a, settings = net(x).argmax(1), random_map(x), {"change": change, "draws": 7}
    drops = change_drops(net, x, target, SampleRng(0, range(6), ""), None, changes=Changes(**settings))

    def captum(attribution: Tensor, normalize: bool) -> Tensor:
        drawn = _changes(drops[:, :1], x, Changes(change, draws=7))

        def perturb(inputs: Tensor) -> tuple[Tensor, Tensor]:
            each = next(drawn).expand_as(x)
            return each, inputs * (1 - each) if change == "square" else inputs - each

        given = {"target": target, "n_perturb_samples": 7, "max_examples_per_batch": 6}
        with torch.no_grad():
            return captum_metrics.infidelity(net, perturb, x, attribution, **given, normalize=normalize)

    found = measure("infidelity", attribution=a, change_drops=drops, **settings)[""]
    torch.testing.assert_close(found, captum(a, normalize=True))
    ten = measure("infidelity", attribution=10 * a, change_drops=drops, **settings)[""]
    torch.testing.assert_close(ten, found)
    assert (captum(10 * a, normalize=False) > 10 * captum(a, normalize=False)).all()


def test_squares_have_every_size_and_place() -> None:
    """Sides are uniform (four standard errors), the image is covered to its corners, and no square leaves it."""
    keys, x = torch.arange(4.0)[:, None], torch.empty(4, 3, 8, 7)
    squares = torch.cat(list(_changes(keys, x, Changes(patch=3, draws=500))))
    assert squares.shape == (2000, 1, 8, 7)
    area = squares.flatten(1).sum(1)
    for side in (1, 2, 3):
        assert abs((area == side**2).double().mean() - 1 / 3) < 4 * (2 / 9 / 2000) ** 0.5
    for height, width in ((0, 0), (0, 6), (7, 0), (7, 6)):
        assert squares[area == 1, 0, height, width].any()
    runs = torch.cat(list(_changes(keys, torch.empty(4, 30), Changes(patch=3, draws=50))))
    assert set(runs.sum(1).tolist()) == {1.0, 4.0, 9.0}


def test_grows_with_the_square_of_the_logits(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    given = {"x": x, "target": net(x).argmax(1), "attribution": random_map(x), "draws": 10}
    one, other = (measure("infidelity", model=model, **given)[""] for model in (net, lambda z: net(z) / 4))
    torch.testing.assert_close(other * 16, one)


def test_what_says_nothing(measure: Measure, net: nn.Module, x: Tensor, random_map: Draw) -> None:
    """A zero map explains nothing of the losses; where nothing is lost, no map does."""
    given = {"target": net(x).argmax(1), "draws": 10}
    drops = change_drops(net, x, given["target"], SampleRng(0, range(6), ""), None, changes=Changes(draws=10))
    zero = measure("infidelity", attribution=torch.zeros_like(x), change_drops=drops, draws=10)
    torch.testing.assert_close(zero[""], drops[:, 1:].square().mean(1))
    blank = measure("infidelity", model=net, x=torch.zeros_like(x), attribution=random_map(x), **given)
    assert torch.equal(blank[""], torch.zeros(6).double())
    for found in (zero, blank):
        assert torch.equal(found["normalised"], torch.ones(6).double())
        assert torch.equal(found["cosine"], torch.zeros(6).double())


@pytest.mark.parametrize("change", ["square", "noise"])
def test_works_on_vectors(measure: Measure, change: Change) -> None:
    net = nn.Linear(20, 3).double()
    x = torch.rand(6, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = net(x).argmax(1)
    a = net.weight[target].detach() * (x if change == "square" else 1)
    found = measure("infidelity", model=net, x=x, target=target, attribution=a, change=change, patch=3)
    torch.testing.assert_close(found["normalised"], torch.zeros(6).double(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("settings", [{"patch": 0}, {"draws": 0}, {"sigma": -1.0}])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor, settings: dict[str, float]
) -> None:
    with pytest.raises(
        XaiboardError, match=f"setting '{next(iter(settings))}' of 'infidelity' must be at least"
    ):
        measure("infidelity", model=net, x=x, target=target, attribution=x, **settings)
