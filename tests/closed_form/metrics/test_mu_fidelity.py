"""Mu-fidelity: linear models, subsets erased one by one, Quantus on the same subsets, maps that say nothing."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Reference, XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.mu_fidelity import CellSubsets, cell_drops, cells
from xaiboard.metrics.shared.subsets import KEYS, drawn_by

Measure = Callable[..., dict[str, Tensor]]
Draw = Callable[..., Tensor]
FEW = {"draws": 12, "grid": 4, "share": 0.3}


@pytest.mark.parametrize("baseline", ["zero", "mean", "blur"])
def test_is_1_for_the_exact_map_of_a_linear_model(
    measure: Measure, two_classes: nn.Module, w: Tensor, x: Tensor, target: Tensor, baseline: str
) -> None:
    from xaiboard.metrics.shared.baselines import baseline_image

    reference = Reference(torch.full_like(x[0], 0.3), x)
    exact = w * (x - baseline_image(x, reference, baseline))  # pyright: ignore[reportArgumentType]
    given = {"model": two_classes, "x": x, "target": target, "reference": reference, "baseline": baseline}
    for sign in (1, -1):
        for value in measure("mu_fidelity", **given, **FEW, attribution=sign * exact).values():
            torch.testing.assert_close(value, torch.full((6,), float(sign)).double())


def test_a_monotone_map_of_a_linear_model_is_ranked_but_not_matched(measure: Measure, x: Tensor) -> None:
    """One pixel a subset, and the cube of its contribution: the ranks agree, the values do not."""
    contribution = torch.linspace(-1, 1, 56, dtype=x.dtype)[
        torch.randperm(56, generator=torch.Generator().manual_seed(0))
    ].view(1, 1, 8, 7)
    weight = (contribution / x[:1] / x.shape[1]).flatten(1)
    linear = nn.Linear(weight.shape[1], 2).double()
    linear.weight.data.copy_(torch.cat([weight, -weight]))
    net = nn.Sequential(nn.Flatten(), linear)
    given = {"model": net, "x": x[:1], "target": torch.zeros(1, dtype=torch.long), "grid": 8, "share": 0.01}
    found = measure("mu_fidelity", **given, attribution=contribution.expand_as(x[:1]) ** 3)
    torch.testing.assert_close(found[""], torch.ones(1).double())
    assert 0.8 < found["pearson"] < 0.95


@pytest.mark.parametrize("baseline", ["blur", "uniform"])
def test_agrees_with_erasing_subsets_one_by_one(
    measure: Measure, net: nn.Module, x: Tensor, baseline: str, random_map: Draw
) -> None:
    """A loop over samples, draws and pixels; uniform noise is new in every draw and follows the key."""
    from xaiboard.metrics.shared.baselines import baseline_image

    target, a, found = net(x).argmax(1), random_map(x), []
    rng = SampleRng(3, range(6), "shared value/cell_drops")
    drops = cell_drops(net, x, target, rng, None, subsets=CellSubsets(baseline, **FEW))  # pyright: ignore
    for i in range(6):
        own = SampleRng(3, [i], "shared value/cell_drops")
        key = int(own.uniform(torch.empty(1, 1, dtype=x.dtype)).item() * KEYS)
        assert drops[i, 0] == key
        orders, sums, lost = drawn_by(torch.tensor([[key]])), [], []
        for _ in range(12):
            subset = set(orders.permutation(x, 16)[0, :5].tolist())
            blank = (
                own.uniform(x[:1])[0]
                if baseline == "uniform"
                else baseline_image(x[i : i + 1], None, "blur")[0]
            )
            changed, total = x[i].clone(), 0.0
            for row in range(8):
                for column in range(7):
                    if row * 4 // 8 * 4 + column * 4 // 7 in subset:
                        changed[:, row, column] = blank[:, row, column]
                        total += a[i, :, row, column].sum().item()
            with torch.no_grad():
                lost.append((net(x[i : i + 1]) - net(changed[None]))[0, target[i]].item())
            sums.append(total)
        torch.testing.assert_close(drops[i, 1:], torch.tensor(lost, dtype=x.dtype))
        found.append([scipy.stats.spearmanr(sums, lost)[0], scipy.stats.pearsonr(sums, lost)[0]])
    scores = measure("mu_fidelity", attribution=a, cell_drops=drops, **FEW)
    torch.testing.assert_close(torch.stack([scores[""], scores["pearson"]], 1), torch.tensor(found).double())


def test_every_pixel_is_in_one_cell_of_nearly_equal_sides() -> None:
    cell, count = cells(torch.empty(2, 3, 28, 5), 9)
    assert count == 45
    table = torch.bincount(cell).view(9, 5)
    assert set(table.flatten().tolist()) == {3, 4}
    assert torch.equal(cell.view(28, 5)[:, 0], torch.arange(28) * 9 // 28 * 5)
    assert cells(torch.empty(2, 200), 9)[1] == 81


def test_the_scale_of_maps_changes_nothing(
    measure: Measure, net: nn.Module, x: Tensor, random_map: Draw
) -> None:
    given = {"model": net, "x": x, "target": net(x).argmax(1), **FEW}
    one = measure("mu_fidelity", attribution=random_map(x), **given)
    other = measure("mu_fidelity", attribution=1e-30 * random_map(x), **given)
    for column, value in one.items():
        torch.testing.assert_close(other[column], value)


def test_maps_that_say_nothing_score_0(measure: Measure, net: nn.Module, x: Tensor, random_map: Draw) -> None:
    given = {"model": net, "x": x, "target": net(x).argmax(1), "grid": 8, "share": 0.2, "draws": 12}
    for a in (torch.zeros_like(x), torch.ones_like(x), torch.full_like(x, -0.1)):
        for value in measure("mu_fidelity", **given, attribution=a).values():
            assert torch.equal(value, torch.zeros(6).double())
    blank = torch.zeros_like(x)
    given |= {"x": blank, "attribution": random_map(x)}
    for value in measure("mu_fidelity", **given).values():
        assert torch.equal(value, torch.zeros(6).double())


def test_works_on_vectors(measure: Measure) -> None:
    net = nn.Linear(20, 3).double()
    x = torch.rand(6, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target = net(x).argmax(1)
    found = measure(
        "mu_fidelity", model=net, x=x, target=target, attribution=(net.weight[target] * x).detach()
    )
    torch.testing.assert_close(found["pearson"], torch.ones(6).double())


@pytest.mark.parametrize("settings", [{"grid": 0}, {"draws": 1}, {"share": 1.0}, {"share": 0.0}])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, net: nn.Module, x: Tensor, target: Tensor, settings: dict[str, float]
) -> None:
    with pytest.raises(XaiboardError, match=f"setting '{next(iter(settings))}' of 'mu_fidelity' must be"):
        measure("mu_fidelity", model=net, x=x, target=target, attribution=x, **settings)


@pytest.mark.filterwarnings("ignore")
def test_pearson_is_faithfulness_correlation_on_the_same_subsets(
    measure: Measure, monkeypatch: pytest.MonkeyPatch, random_map: Draw
) -> None:
    """Quantus draws from the global stream, and one channel at a time; on grey images it agrees, given our subsets."""
    quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(49, 16), nn.ReLU(), nn.Linear(16, 4)).eval()
    x = torch.rand(5, 1, 7, 7, generator=torch.Generator().manual_seed(0))
    x -= x.amin((1, 2, 3), keepdim=True)  # its black is the darkest value of each image
    target, a = network(x).argmax(1), random_map(x)
    settings = {"grid": 7, "share": 10 / 49, "draws": 9}
    drops = cell_drops(network, x, target, SampleRng(0, range(5), ""), None, subsets=CellSubsets(**settings))
    streams = [drawn_by(drops[i : i + 1, :1]) for i in range(5)]
    order = iter(streams[i].permutation(x[:1], 49)[0, :10].numpy() for _ in range(9) for i in range(5))
    metric = quantus.FaithfulnessCorrelation(
        nr_runs=9,
        subset_size=10,
        abs=False,
        normalise=False,
        perturb_baseline="black",
        disable_warnings=True,
        return_aggregate=False,
    )
    monkeypatch.setattr(np.random, "choice", lambda *given, **settings: next(order))
    other = metric(
        model=network,
        x_batch=x.numpy(),
        y_batch=target.numpy(),
        a_batch=a.numpy(),
        softmax=False,
        device="cpu",
    )
    found = measure("mu_fidelity", attribution=a, cell_drops=drops, **settings)["pearson"]
    torch.testing.assert_close(found, torch.tensor(other, dtype=torch.float32), rtol=1e-4, atol=1e-4)
