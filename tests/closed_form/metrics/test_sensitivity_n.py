"""Sensitivity-n: linear models, subsets erased one by one, and what Quantus computes under the name."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.sensitivity_n import NestedSubsets, nested_drops, subset_sizes
from xaiboard.metrics.shared.baselines import Baseline, baseline_image
from xaiboard.metrics.shared.subsets import drawn_by

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]
FEW = {"draws": 9, "sizes": 4, "largest": 0.6}


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
def test_is_1_for_the_exact_map_of_a_linear_model(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor, baseline: Baseline
) -> None:
    reference = Reference(torch.full_like(x[0], 0.3), x)
    exact = w * (x - baseline_image(x, reference, baseline))
    given = {"model": two_classes, "x": x, "target": target, "reference": reference, "baseline": baseline}
    for sign in (1, -1):
        for value in measure("sensitivity_n", **given, **FEW, attribution=sign * exact).values():
            torch.testing.assert_close(value, torch.full_like(value, sign))


def test_agrees_with_erasing_subsets_one_by_one(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    """A loop over samples, sizes, draws and pixels, with the correlation of numpy."""
    target, a = net(x).argmax(1), random_map(x)
    subsets = NestedSubsets("blur", **FEW)  # pyright: ignore[reportArgumentType]
    drops = nested_drops(net, x, target, SampleRng(3, range(6), ""), None, subsets=subsets)
    blank, sizes = baseline_image(x, None, "blur"), [1, 3, 10, 34]
    assert subset_sizes(56, subsets) == sizes
    curves = []
    for i in range(6):
        stream = drawn_by(drops[i : i + 1, 0, :1])
        orders = [stream.permutation(x, 56)[0].tolist() for _ in range(9)]
        curve = []
        for n in sizes:
            sums, lost = [], []
            for order in orders:
                changed = x[i].clone()
                for pixel in order[:n]:
                    changed[:, pixel // 7, pixel % 7] = blank[i, :, pixel // 7, pixel % 7]
                with torch.no_grad():
                    lost.append((net(x[i : i + 1]) - net(changed[None]))[0, target[i]].item())
                sums.append(sum(a[i, :, pixel // 7, pixel % 7].sum().item() for pixel in order[:n]))
            curve.append(np.corrcoef(sums, lost)[0, 1])
        curves.append(curve)
    expected = torch.tensor(np.array(curves))
    found = measure("sensitivity_n", attribution=a, nested_drops=drops, **FEW)
    torch.testing.assert_close(found["curve"], expected)
    torch.testing.assert_close(found[""], expected.mean(1))


def test_sizes_are_distinct_and_end_at_the_largest_share() -> None:
    assert subset_sizes(784, NestedSubsets(sizes=8, largest=0.8)) == [1, 3, 6, 16, 40, 100, 250, 627]
    assert subset_sizes(10, NestedSubsets(sizes=8, largest=0.5)) == [1, 2, 3, 4, 5]
    assert subset_sizes(3, NestedSubsets(sizes=5, largest=0.1)) == [1]
    assert subset_sizes(100, NestedSubsets(sizes=1, largest=0.5)) == [1]


def test_the_scale_of_maps_changes_nothing(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    given = {"model": net, "x": x, "target": net(x).argmax(1), **FEW}
    one = measure("sensitivity_n", attribution=random_map(x), **given)
    other = measure("sensitivity_n", attribution=1e-30 * random_map(x), **given)
    for column, value in one.items():
        torch.testing.assert_close(other[column], value)


def test_maps_that_say_nothing_score_0(measure: Measure, net: nn.Module, x: Tensor, random_map: Draw) -> None:
    given = {"model": net, "x": x, "target": net(x).argmax(1), **FEW}
    for a in (torch.zeros_like(x), torch.ones_like(x), torch.full_like(x, -0.1)):
        assert torch.equal(measure("sensitivity_n", **given, attribution=a)[""], torch.zeros(6).double())
    given |= {"x": torch.zeros_like(x), "attribution": random_map(x)}
    assert torch.equal(measure("sensitivity_n", **given)[""], torch.zeros(6).double())


def test_works_on_vectors(measure: Measure) -> None:
    net = nn.Linear(20, 3).double()
    x = torch.rand(6, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = net(x).argmax(1)
    found = measure(
        "sensitivity_n", model=net, x=x, target=target, attribution=(net.weight[target] * x).detach()
    )
    torch.testing.assert_close(found[""], torch.ones(6).double())


@pytest.mark.parametrize("settings", [{"sizes": 0}, {"draws": 1}, {"largest": 1.0}, {"largest": 0.0}])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor, settings: dict[str, float]
) -> None:
    with pytest.raises(XaiboardError, match=f"setting '{next(iter(settings))}' of 'sensitivity_n' must be"):
        measure("sensitivity_n", model=net, x=x, target=target, attribution=x, **settings)


@pytest.mark.filterwarnings("ignore")
def test_quantus_correlates_over_images_and_depends_on_the_batch(measure: Measure) -> None:
    """On a linear model every exact map scores 1 here. Quantus: one number for each n, which other images change."""
    quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).eval()
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    target = torch.zeros(8, dtype=torch.long)
    a = (network[1].get_parameter("weight")[0].view(1, 4, 4) * x).detach()

    def quantus_scores(rows: slice) -> np.ndarray:
        metric = quantus.SensitivityN(
            n_max_percentage=0.5, features_in_step=1, abs=False, normalise=False, perturb_baseline="black",
            disable_warnings=True, return_aggregate=False,
        )  # fmt: skip
        given = {"x_batch": x[rows].numpy(), "y_batch": target[rows].numpy(), "a_batch": a[rows].numpy()}
        return np.array(metric(model=network, **given, softmax=False, device="cpu"))

    whole, half = quantus_scores(slice(0, 8)), quantus_scores(slice(0, 4))
    assert whole.shape == (8,)  # values of n: there are as many with half of the images
    assert half.shape == (8,)
    assert abs(whole - half).max() > 0.05
    assert whole.mean() < 0.9
    found = measure("sensitivity_n", model=network, x=x, target=target, attribution=a)[""]
    torch.testing.assert_close(found, torch.ones(8), rtol=1e-4, atol=1e-4)
