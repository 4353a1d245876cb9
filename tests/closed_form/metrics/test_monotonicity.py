"""Monotonicity: linear models, steps and noise made one by one, and both metrics of Quantus."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.monotonicity import PatchNoise, patch_effects
from xaiboard.metrics.shared.baselines import Baseline, baseline_image
from xaiboard.metrics.shared.patches import patch_drops

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]


def test_a_linear_model_rises_where_contributions_are_positive(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor, random_map: Draw
) -> None:
    """Pixel by pixel: the share of positive contributions, in whatever order; in two steps, order counts."""
    w = w.round(decimals=1) / 100  # far from saturation, and no contribution near 0
    two_classes.w = w  # pyright: ignore[reportAttributeAccessIssue]
    contribution = (w * x).sum(1).flatten(1)
    given = {"model": two_classes, "x": x, "target": target}
    for a in (w * x, -w * x, random_map(x)):
        found = measure("monotonicity_arya", **given, attribution=a, steps=56)
        for column in ("", "logit"):
            torch.testing.assert_close(found[column], (contribution >= 0).double().mean(1))
        assert torch.equal(found["never_falls"], torch.zeros(6).double())
    rising = {**given, "x": (w > 0) * x}
    found = measure("monotonicity_arya", **rising, attribution=random_map(x), steps=56)
    assert all(torch.equal(value, torch.ones(6).double()) for value in found.values())
    up = measure("monotonicity_arya", **given, attribution=w * x, steps=2)
    halves = contribution.sort(1).values.view(6, 2, 28).sum(2)
    torch.testing.assert_close(up["logit"], (halves >= 0).double().mean(1))


def test_the_exact_map_can_lose_to_a_mixed_order(measure: Measure) -> None:
    """Half of the pixels contribute 3 and half -1: the exact order falls half of the time, a mixed one never."""
    w = torch.tensor([3.0, -1.0]).repeat(8).view(1, 4, 4).double()
    linear = nn.Linear(16, 2, bias=False).double()
    linear.weight.data.copy_(torch.stack([w.flatten(), -w.flatten()]))
    given = {"model": nn.Sequential(nn.Flatten(), linear), "x": torch.ones(1, 1, 4, 4).double(), "steps": 4}
    given["target"] = torch.zeros(1, dtype=torch.long)
    exact = measure("monotonicity_arya", **given, attribution=w[None])
    mixed = measure("monotonicity_arya", **given, attribution=torch.arange(16.0).view(1, 1, 4, 4).double())
    assert (exact["logit"], mixed["logit"]) == (0.5, 1.0)


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
def test_agrees_with_adding_pixels_one_by_one(
    measure: Measure, net: nn.Module, x: Tensor, baseline: Baseline, random_map: Draw
) -> None:
    target, a, reference = net(x).argmax(1), random_map(x), Reference(torch.full_like(x[0], 0.3), x)
    start, expected = baseline_image(x, reference, baseline), []
    for i in range(6):
        order = a[i].sum(0).flatten().argsort().tolist()
        current, logits = start[i].clone(), []
        for step in range(9):
            for pixel in order[7 * (step - 1) : 7 * step] if step else []:
                current[:, pixel // 7, pixel % 7] = x[i, :, pixel // 7, pixel % 7]
            with torch.no_grad():
                logits.append(net(current[None])[0])
        curve = torch.stack(logits)[:, target[i]]
        chances = torch.stack(logits).softmax(1)[:, target[i]]
        rises = [chances[s + 1] >= chances[s] for s in range(8)]
        expected.append([sum(rises) / 8, sum(curve[s + 1] >= curve[s] for s in range(8)) / 8, all(rises)])
    given = {"model": net, "x": x, "target": target, "attribution": a, "reference": reference}
    found = measure("monotonicity_arya", **given, baseline=baseline, steps=8)
    columns = torch.stack([found[column] for column in ("", "logit", "never_falls")], 1)
    torch.testing.assert_close(columns, torch.tensor(expected, dtype=x.dtype))
    assert (columns[:, 0] != columns[:, 1]).any()


def test_what_never_changes_never_falls(measure: Measure, net: nn.Module, x: Tensor) -> None:
    blank = torch.zeros_like(x)
    found = measure("monotonicity_arya", model=net, x=blank, target=net(x).argmax(1), attribution=x)
    assert all(torch.equal(value, torch.ones(6).double()) for value in found.values())


def test_a_linear_model_moves_by_the_square_of_its_weights(measure: Measure) -> None:
    """A black image, patches of a pixel: the effect is ``w^2 u^2``, by weights 1.5 times apart."""
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    w = (1.5 ** order.double() * torch.tensor([1.0, -1.0]).repeat(8)).view(1, 4, 4)
    linear = nn.Linear(16, 2).double()
    linear.weight.data[0] = w.flatten()
    net, x = nn.Sequential(nn.Flatten(), linear), torch.zeros(3, 1, 4, 4).double()
    target = torch.zeros(3, dtype=torch.long)
    effects = patch_effects(net, x, target, SampleRng(0, range(3), ""), noise=PatchNoise(1, 100))
    given = {"patch_effects": effects, "patch": 1, "draws": 100}
    for scale in (1.0, -1.0, 1e-40):
        found = measure("monotonicity_nguyen", **given, attribution=scale * w.expand_as(x))[""]
        torch.testing.assert_close(found, torch.ones(3).double())
    inverse = measure("monotonicity_nguyen", **given, attribution=1 / w.expand_as(x))[""]
    torch.testing.assert_close(inverse, -torch.ones(3).double())


def test_noise_in_patches_one_by_one(measure: Measure, net: nn.Module, x: Tensor, random_map: Draw) -> None:
    target, a, rng = net(x).argmax(1), random_map(x), SampleRng(0, range(6), "")
    effects, sums = [], []
    with torch.no_grad():
        for i, j in ((i, j) for i in (0, 4) for j in (0, 4)):
            squares = []
            for _ in range(3):
                changed = x.clone()
                changed[:, :, i : i + 4, j : j + 4] = rng.uniform(x[:, :, i : i + 4, j : j + 4])
                squares.append((net(x) - net(changed))[torch.arange(6), target] ** 2)
            effects.append(torch.stack(squares).mean(0) ** 0.5)
            sums.append(a[:, :, i : i + 4, j : j + 4].sum((1, 2, 3)).abs())
    effects, sums = torch.stack(effects, 1), torch.stack(sums, 1)
    found = patch_effects(net, x, target, SampleRng(0, range(6), ""), noise=PatchNoise(patch=4, draws=3))
    torch.testing.assert_close(found, effects)
    score = measure("monotonicity_nguyen", attribution=a, patch_effects=found, patch=4)[""]
    expected = [scipy.stats.spearmanr(one, other)[0] for one, other in zip(sums, effects, strict=True)]
    torch.testing.assert_close(score, torch.tensor(expected))


@pytest.mark.parametrize("name", ["monotonicity_arya", "monotonicity_nguyen"])
def test_maps_without_order(measure: Measure, net: nn.Module, x: Tensor, name: str) -> None:
    """Equal patches have rank correlation 0; pixels in random order give the same steps whatever the constant."""
    given = {"model": net, "x": x[..., :4], "target": torch.zeros(6, dtype=torch.long)}
    given["model"] = nn.Sequential(nn.ZeroPad2d((0, 3, 0, 0)), net)
    found = [measure(name, **given, attribution=torch.full_like(x[..., :4], v))[""] for v in (0.0, 2.0, -2.0)]
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    assert name == "monotonicity_arya" or torch.equal(found[0], torch.zeros(6).double())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("monotonicity_arya", {"steps": 0}),
        ("monotonicity_nguyen", {"patch": 0}),
        ("monotonicity_nguyen", {"draws": 0}),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor, name: str, settings: dict[str, int]
) -> None:
    with pytest.raises(XaiboardError, match=f"setting '{next(iter(settings))}' of '{name}' must be at least"):
        measure(name, model=net, x=x, target=target, attribution=x, **settings)


@pytest.fixture
def grey() -> tuple[nn.Module, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(16, 9), nn.Softplus(), nn.Linear(9, 3)).eval()
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    x[:, :, 0, 0] = 0  # Quantus' black is the darkest value of each image
    return network, x


@pytest.mark.filterwarnings("ignore")
def test_monotonicity_of_quantus_holds_for_any_map(
    measure: Measure, grey: tuple[nn.Module, Tensor], random_map: Draw
) -> None:
    """Quantus puts nothing in: it blackens an image that is black already, and calls every map monotone."""
    quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
    network, x = grey
    target, a = network(x).argmax(1), random_map(x)
    metric = quantus.Monotonicity(
        features_in_step=1, abs=False, normalise=False, perturb_baseline="black", disable_warnings=True
    )
    given = {"x_batch": x.numpy(), "y_batch": target.numpy(), "a_batch": a.numpy()}
    other = metric(model=network, **given, softmax=True, device="cpu")
    found = measure("monotonicity_arya", model=network, x=x, target=target, attribution=a, steps=16)
    assert other == [True] * 8
    assert torch.equal(found["never_falls"], torch.zeros(8))


@pytest.mark.filterwarnings("ignore")
def test_nguyen_is_monotonicity_correlation(
    measure: Measure, grey: tuple[nn.Module, Tensor], random_map: Draw
) -> None:
    """For patches of a pixel and one draw, which is black."""
    quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
    network, x = grey
    target, a = network(x).argmax(1), random_map(x)
    metric = quantus.MonotonicityCorrelation(
        nr_samples=1, features_in_step=1, abs=True, normalise=False, perturb_baseline="black",
        disable_warnings=True, return_aggregate=False,
    )  # fmt: skip
    given = {"x_batch": x.numpy(), "y_batch": target.numpy(), "a_batch": np.abs(a.numpy())}
    other = metric(model=network, **given, softmax=False, device="cpu")
    effects = patch_drops(network, x, target, None, patch=1).abs()
    found = measure("monotonicity_nguyen", attribution=a, patch_effects=effects, patch=1)[""]
    torch.testing.assert_close(found, torch.tensor(other, dtype=torch.float32), rtol=1e-4, atol=1e-4)
