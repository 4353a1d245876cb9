"""Recall at every window: against recall itself, and distances against a slow search."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from xaiboard.metrics.shared.distance import chebyshev_distance

Measure = Callable[..., dict[str, Tensor]]


def slow_distance(chosen: Tensor) -> list[list[float]]:
    picks = chosen.nonzero().tolist()
    height, width = chosen.shape
    return [
        [min((max(abs(i - a), abs(j - b)) for a, b in picks), default=float("inf")) for j in range(width)]
        for i in range(height)
    ]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (7, 12), (12, 5)])
@pytest.mark.parametrize("share", [0.02, 0.2])
def test_distance_agrees_with_a_search(height: int, width: int, share: float) -> None:
    noise = torch.rand(8, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    chosen = (noise < share).double()
    chosen[0] = 0
    chosen[1] = 1
    expected = torch.tensor([slow_distance(each) for each in chosen], dtype=torch.float64)
    assert torch.equal(chebyshev_distance(chosen), expected)


@pytest.mark.parametrize("k", [1, 5, 20, 56])
def test_points_of_the_curve_are_recalls(measure: Measure, x: Tensor, k: int) -> None:
    given = {"attribution": x, "perturbed_attribution": x.flip(0), "k": k}
    found = measure("lens_curve", **given)
    assert found["curve"].shape == (6, 8)
    for window in range(8):
        recall = measure("lens_recall", **given, window=window)
        torch.testing.assert_close(found["curve"][:, window], recall[""])
        torch.testing.assert_close(found["chance_curve"][:, window], recall["chance"])
    assert torch.equal(found["curve"][:, -1], torch.ones(6).double())


def test_the_area_is_that_of_the_steps(measure: Measure, x: Tensor) -> None:
    found = measure("lens_curve", attribution=x, perturbed_attribution=x.flip(0), k=4)
    torch.testing.assert_close(found[""], found["curve"][:, :-1].mean(1))
    torch.testing.assert_close(found["chance"], found["chance_curve"][:, :-1].mean(1))
    above = (found[""] - found["chance"]) / (1 - found["chance"])
    torch.testing.assert_close(found["above_chance"], above)
    torch.testing.assert_close(found["distance"], 7 * (1 - found[""]))


def test_degenerate_maps_have_stated_values(measure: Measure) -> None:
    zero, hot, other = torch.zeros(3, 1, 1, 5, 4)
    hot[..., 2, 2], other[..., 0, 0] = -3, 1
    for a, b, distance in ((zero, zero, 0.0), (hot, hot, 0.0), (hot, other, 2.0), (zero, zero - 1, 0.0)):
        found = measure("lens_curve", attribution=a, perturbed_attribution=b, k=1)
        assert found["distance"] == distance
        assert found[""].item() == pytest.approx(1 - distance / 4)
    whole = measure("lens_curve", attribution=zero, perturbed_attribution=hot, k=20)
    assert whole["above_chance"] == 0
    assert whole[""] == 1
    pixel = measure("lens_curve", attribution=torch.ones(2, 1), perturbed_attribution=torch.ones(2, 1), k=1)
    assert torch.equal(pixel[""], torch.ones(2))
    assert pixel["curve"].shape == (2, 1)
