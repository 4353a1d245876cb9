"""Values that depend on all samples: percentiles and the Kantorovich-Rubinstein value; and the step flip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from xaiboard.benchmark import Weighted, XaiboardError, metrics
from xaiboard.metrics.gradient_norm import percentile


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bootstrap_error(statistic: Callable[[Tensor], float], n: int, draws: int = 400) -> float:
    """Standard deviation of a statistic of samples drawn with replacement; it receives their positions."""
    rng = np.random.Generator(np.random.Philox(0))
    return float(np.std([statistic(torch.from_numpy(rng.integers(0, n, n))) for _ in range(draws)]))


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_contributions_to_a_percentile_have_its_mean_and_its_error(level: float) -> None:
    values = draw(600).exp()
    parts = percentile(values, level)
    exact = float(torch.quantile(values, level))
    assert float(parts.mean()) == pytest.approx(exact, rel=1e-9)
    error = float(parts.std()) / len(values) ** 0.5
    wanted = bootstrap_error(lambda rows: float(torch.quantile(values[rows], level)), 600)
    assert wanted / 1.5 < error < 1.5 * wanted


@pytest.mark.parametrize("n", [1, 2, 7])
def test_percentiles_of_few_samples(n: int) -> None:
    values = draw(n).abs()
    for level in (0.05, 0.95):
        assert float(percentile(values, level).mean()) == pytest.approx(float(torch.quantile(values, level)))
    same = torch.full((n,), 2.5)
    assert torch.equal(percentile(same, 0.05), same)


def test_gradient_norm_columns() -> None:
    """Seven in a hundred have the smallest norm, and seven the largest: more than 5 %, fewer than 10 %."""
    net = nn.Linear(7, 3)
    rows = net.weight.detach().norm(dim=1)
    target = rows.argsort().repeat_interleave(torch.tensor([7, 86, 7]))
    x = torch.rand(100, 7)
    found = metrics["gradient_norm"](model=net, x=x, target=target)
    torch.testing.assert_close(found[""], rows[target])
    torch.testing.assert_close(found["p5"].mean(), rows.min())
    torch.testing.assert_close(found["p95"].mean(), rows.max())


def kr(logits: Tensor, label: Tensor) -> Tensor:
    return metrics["kantorovich_rubinstein"](logits=logits, label=label)


def kr_by_loops(logits: Tensor, label: Tensor) -> float:
    gaps = []
    for k in range(logits.shape[1]):
        inside, outside = logits[label == k, k], logits[label != k, k]
        if len(inside) and len(outside):
            gaps.append(float(inside.mean() - outside.mean()))
    return sum(gaps) / len(gaps)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("absent", [False, True])
def test_kr_is_the_mean_gap_of_a_class_to_the_others(classes: int, absent: bool) -> None:
    logits = draw(90, classes)
    label = torch.randint(
        0, classes - absent if classes > 2 else classes, (90,), generator=torch.Generator().manual_seed(1)
    )
    parts = kr(logits, label)
    assert float(parts.mean()) == pytest.approx(kr_by_loops(logits, label), rel=1e-9)
    assert float(kr(3 * logits + 7, label).mean()) == pytest.approx(3 * kr_by_loops(logits, label), rel=1e-9)


def test_kr_contributions_have_its_error() -> None:
    label = (draw(400, seed=2) > 0.8).long()
    logits = draw(400, 2) + 3 * label[:, None] * torch.tensor([-1.0, 1.0]) + 20
    parts = kr(logits, label)
    error = float(parts.std()) / 20
    wanted = bootstrap_error(lambda rows: kr_by_loops(logits[rows], label[rows]), 400)
    assert error == pytest.approx(wanted, rel=0.15)


def test_kr_without_anything_to_compare_is_zero() -> None:
    assert torch.equal(kr(draw(3, 4), torch.tensor([1, 1, 1])), torch.zeros(3, dtype=torch.float64))
    assert torch.equal(kr(draw(1, 4), torch.tensor([2])), torch.zeros(1, dtype=torch.float64))


def test_kr_of_a_1_lipschitz_network_is_at_most_the_wasserstein_distance() -> None:
    """Exact transport between two clouds; the linear potential along the shift attains it when one is moved."""
    one, shift = draw(150, 6), torch.tensor([2.0, 1.0, 0.0, 0.0, 0.0, -1.0], dtype=torch.float64)
    label = torch.arange(300) // 150
    for other, attained in ((one + shift, True), (1.5 * draw(150, 6, seed=1) + shift, False)):
        cost = torch.cdist(one, other).numpy()
        distance = float(cost[linear_sum_assignment(cost)].mean())
        points = torch.cat([one, other])
        direction = shift / shift.norm()
        potential = -points @ direction
        found = float(kr(torch.stack([potential, -potential], 1), label).mean())
        assert found <= distance + 1e-9
        assert (found > distance - 1e-9) is attained
        with torch.random.fork_rng():
            torch.manual_seed(0)
            first = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))[0]
        bent = (points @ first).abs()[:, :2]  # orthogonal, then 1-Lipschitz
        assert -distance <= float(kr(bent, label).mean()) <= distance


class Affine(nn.Module):
    """Three affine logits."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = nn.Parameter(w)

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.w.T


@pytest.mark.parametrize(("margins", "flips"), [(0.0, False), (0.99, False), (1.01, True), (1.5, True)])
def test_a_step_past_the_margin_flips_an_affine_model(margins: float, flips: bool) -> None:
    model, x = Affine(draw(3, 12)), draw(40, 3, 2, 2, seed=1)
    found = metrics["step_flip"](model=model, x=x, margins=margins)
    top, order = model(x).detach().topk(2, dim=1)
    if flips:
        assert found[""].all()
    else:
        reached = metrics["step_flip"](model=Affine(draw(3, 12)[:2]), x=x, margins=margins)
        assert not reached[""].any()  # with two classes nothing else is in the way
    slope = (model.w[order[:, 0]] - model.w[order[:, 1]]).detach().norm(dim=1)
    assert isinstance(found["length"], Weighted)
    torch.testing.assert_close(found["length"].score, margins * (top[:, 0] - top[:, 1]) / slope)
    assert found["length"].weight.all()
    assert model.w.grad is None


def test_without_a_gradient_there_is_no_step_and_no_flip() -> None:
    class Rounded(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([x.flatten(1).sum(1) * 0 + 1, x.flatten(1).sum(1) * 0], 1)

    found = metrics["step_flip"](model=Rounded(), x=draw(3, 1, 2, 2))
    assert not found[""].any()
    assert not found["length"].weight.any()
    assert not found["length"].score.any()
    with pytest.raises(XaiboardError, match="'margins' of 'step_flip' must be at least 0"):
        metrics["step_flip"](model=Rounded(), x=draw(3, 1, 2, 2), margins=-1.0)


@pytest.mark.parametrize(
    "name",
    [
        "ara",
        "attack_distance",
        "autoattack",
        "kantorovich_rubinstein",
        "pgd_accuracy",
        "step_flip",
        "tightness",
    ],
)
def test_belongs_to_the_model_and_says_what_may_be_compared(name: str) -> None:
    entry = metrics[name]
    assert entry.family == "model"
    assert not entry.needs("attribution")
    assert entry.across_models is (name != "kantorovich_rubinstein")  # its logits can be scaled at will
    assert entry.needs("certificate") is (name == "tightness")
