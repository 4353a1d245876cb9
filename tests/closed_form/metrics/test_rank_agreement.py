"""Rank correlations of maps against scipy and against counting pairs, and the blurred ones against plain loops."""

from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from scipy.stats import kendalltau, spearmanr
from torch import Tensor
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.toolkit.pixels import RESOLUTION
from xaiboard.metrics.shared.kendall_tau import inversions, kendall_tau

Measure = Callable[..., dict[str, Tensor]]
NAMES = ["spearman", "kendall", "lens_spearman", "lens_kendall"]


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 64, 100])
def test_inversions_are_counted_one_by_one(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    rank = torch.stack([torch.randperm(length, generator=generator) for _ in range(5)])
    rank[0] = torch.arange(length)
    rank[1] = torch.arange(length).flip(0)
    expected = [sum(first > second for first, second in combinations(row, 2)) for row in rank.tolist()]
    assert inversions(rank).tolist() == expected


@pytest.mark.parametrize("count", [2, 5, 10_000])
@pytest.mark.parametrize("length", [2, 3, 30, 129])
def test_tau_agrees_with_scipy_on_ties(length: int, count: int) -> None:
    a, b = torch.randint(-count, count, (2, 7, length), generator=torch.Generator().manual_seed(count))
    a[0], b[0] = torch.arange(length), torch.arange(length).flip(0)
    expected = torch.tensor([kendalltau(one, other)[0] for one, other in zip(a, b, strict=True)])
    found = kendall_tau(a.double(), b.double())
    torch.testing.assert_close(found, expected.double().nan_to_num(0))  # NaN: a constant row
    torch.testing.assert_close(kendall_tau(b.double(), a.double()), found)


PEAKS = {(1, 1): 9.0, (1, 3): 8.0, (3, 2): 7.0}, {(1, 2): 9.0, (2, 3): 8.0, (4, 4): 7.0}


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("spearman", {}, 0.553077),
        ("kendall", {}, 0.540000),
        ("lens_spearman", {"border": "zero"}, 0.577692),
        ("lens_kendall", {"border": "zero"}, 0.453333),
        ("lens_spearman", {"border": "inside"}, 0.106923),
        ("lens_kendall", {"border": "inside"}, 0.113333),
    ],
)
def test_pinned_example(measure: Measure, name: str, settings: dict[str, str], expected: float) -> None:
    """Peaks on a 5x5 background without ties; the border rule decides on maps as small as this."""
    a, b = ((25 - torch.arange(25.0, dtype=torch.float64)).view(1, 1, 5, 5) * 1e-3 for _ in range(2))
    for each, peaks in zip((a, b), PEAKS, strict=True):
        for (i, j), value in peaks.items():
            each[0, 0, i, j] = value
    found = measure(name, attribution=a, perturbed_attribution=b, **settings)[""]
    assert found.item() == pytest.approx(expected, abs=1e-6)


def blurred(a: Tensor, window: int, border: str) -> list[int]:
    """Means over the boxes of the magnitudes of a map ``(C, H, W)``, one by one, in steps of the resolution of ties."""
    height, width = a.shape[1:]
    values = a.abs().sum(0).tolist()
    means = []
    for i in range(height):
        for j in range(width):
            box = [
                values[row][column]
                for row in range(max(0, i - window), min(height, i + window + 1))
                for column in range(max(0, j - window), min(width, j + window + 1))
            ]
            means.append(sum(box) / (len(box) if border == "inside" else (2 * window + 1) ** 2))
    return [round(mean / (max(means) or 1.0) / RESOLUTION) for mean in means]


@pytest.mark.parametrize("border", ["inside", "zero"])
@pytest.mark.parametrize("window", [0, 1, 2, 5])
@pytest.mark.parametrize("ties", [False, True])
def test_blurred_ones_agree_with_loops(
    measure: Measure, x: Tensor, window: int, border: str, ties: bool
) -> None:
    a, b = x - 0.5, x.flip(0) - 0.5
    if ties:
        a, b = (a * 3).round(), (b * 3).round()
    pairs = [[blurred(each, window, border) for each in pair] for pair in zip(a, b, strict=True)]
    for name, reference in (("lens_spearman", spearmanr), ("lens_kendall", kendalltau)):
        found = measure(name, attribution=a, perturbed_attribution=b, window=window, border=border)[""]
        expected = [reference(one, other)[0] for one, other in pairs]
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("name", NAMES)
def test_only_the_order_of_magnitudes_counts(measure: Measure, x: Tensor, name: str) -> None:
    """For blurred maps only up to scale."""
    x = x[:, :1]
    other = x.flip(0) * 3 if name.startswith("lens") else x.flip(0).exp()
    expected = measure(name, attribution=x, perturbed_attribution=x.flip(0))[""]
    torch.testing.assert_close(measure(name, attribution=-5 * x, perturbed_attribution=other)[""], expected)
    torch.testing.assert_close(
        measure(name, attribution=x.mT.flip(2), perturbed_attribution=x.flip(0).mT.flip(2))[""], expected
    )
    same = measure(name, attribution=x, perturbed_attribution=x)[""]
    torch.testing.assert_close(same, torch.ones(6).double())


def test_a_blur_forgives_a_shift(measure: Measure) -> None:
    a = torch.zeros(1, 1, 16, 16)
    a[0, 0, 3::7, 3::7] = torch.tensor([[5.0, 4.0], [3.0, 2.0]])
    given = {"attribution": a, "perturbed_attribution": a.roll(1, 3)}
    assert measure("spearman", **given)[""] < 0.1
    assert measure("lens_spearman", **given, window=2)[""] > 0.6


@pytest.mark.parametrize(("border", "least"), [("inside", -0.02), ("zero", 0.1)])
def test_unrelated_maps_agree_only_if_the_border_is_dark(measure: Measure, border: str, least: float) -> None:
    a, b = torch.rand(2, 100, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    for name in ("lens_spearman", "lens_kendall"):
        found = measure(name, attribution=a, perturbed_attribution=b, border=border)[""].mean()
        assert least < found < least + 0.5
        if border == "inside":
            assert abs(found) < 0.02


@pytest.mark.parametrize("name", NAMES)
def test_maps_without_order_score_zero(measure: Measure, name: str) -> None:
    noise = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    for value in (0.0, -2.0):
        flat = torch.full_like(noise, value)
        for a, b in ((flat, noise), (noise, flat), (flat, flat)):
            assert torch.equal(measure(name, attribution=a, perturbed_attribution=b)[""], torch.zeros(2))
    hot = torch.zeros_like(noise)
    hot[:, 0, 2, 2] = -1e-30
    for a in (hot, noise[:, 0, 0]):
        found = measure(name, attribution=a, perturbed_attribution=a)[""]
        torch.testing.assert_close(found, torch.ones(2))


@pytest.mark.parametrize("name", NAMES[2:])
def test_a_window_has_no_negative_radius(measure: Measure, x: Tensor, name: str) -> None:
    with pytest.raises(XaiboardError, match=f"'window' of '{name}' must be at least 0"):
        measure(name, attribution=x, perturbed_attribution=x, window=-1)
