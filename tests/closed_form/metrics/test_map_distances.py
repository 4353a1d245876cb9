"""Mass-centre shift, SSIM, cosine and L2 distance of maps: closed forms and plain loops."""

from collections.abc import Callable
from math import exp, sqrt

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import XaiboardError

Measure = Callable[..., dict[str, Tensor]]
NAMES = ["mass_centre_shift", "ssim", "cosine", "l2_distance"]


def centre(a: Tensor) -> tuple[float, float]:
    values = a.abs().sum(0).tolist()
    total = sum(map(sum, values))
    row = sum(i * value for i, line in enumerate(values) for value in line) / total
    return row, sum(j * value for line in values for j, value in enumerate(line)) / total


def test_the_shift_is_that_of_the_centres(measure: Measure, x: Tensor) -> None:
    a, b = x - 0.5, (x.flip(0) - 0.5) ** 3
    centres = [(centre(one), centre(other)) for one, other in zip(a, b, strict=True)]
    for reference, cut in (("clean", float), ("released", int)):
        expected = [sqrt((cut(i) - cut(k)) ** 2 + (cut(j) - cut(m)) ** 2) for (i, j), (k, m) in centres]
        given = {"attribution": a, "perturbed_attribution": b, "reference": reference}
        found = measure("mass_centre_shift", **given)[""]
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_a_spot_that_moves(measure: Measure) -> None:
    a, b = torch.zeros(2, 1, 1, 9, 9)
    a[..., 1, 2], b[..., 4, 6] = -2, 1e-30
    assert measure("mass_centre_shift", attribution=a, perturbed_attribution=b)[""] == 5
    # the middle of 9 x 9 pixels is (4, 4)
    nothing = measure("mass_centre_shift", attribution=torch.zeros_like(b), perturbed_attribution=b)[""]
    assert nothing.item() == pytest.approx(2)


def windowed(values: list[list[float]], i: int, j: int, sigma: float) -> tuple[list[float], list[float]]:
    """Values and normalised weights in the window at a pixel."""
    reach = int(3.5 * sigma + 0.5)
    chosen = [
        (values[row][column], exp(-((row - i) ** 2 + (column - j) ** 2) / (2 * sigma**2)))
        for row in range(max(0, i - reach), min(len(values), i + reach + 1))
        for column in range(max(0, j - reach), min(len(values[0]), j + reach + 1))
    ]
    total = sum(weight for _, weight in chosen)
    return [value for value, _ in chosen], [weight / total for _, weight in chosen]


def slow_ssim(a: Tensor, b: Tensor, sigma: float) -> float:
    scaled = []
    for each in (a, b):
        values = each.abs().sum(0)
        scaled.append((values / values.max()).tolist())
    height, width = a.shape[1:]
    total = 0.0
    for i in range(height):
        for j in range(width):
            (one, weight), (other, _) = (windowed(values, i, j, sigma) for values in scaled)
            mean_a = sum(w * v for w, v in zip(weight, one, strict=True))
            mean_b = sum(w * v for w, v in zip(weight, other, strict=True))
            var_a = sum(w * (v - mean_a) ** 2 for w, v in zip(weight, one, strict=True))
            var_b = sum(w * (v - mean_b) ** 2 for w, v in zip(weight, other, strict=True))
            both = sum(w * (u - mean_a) * (v - mean_b) for w, u, v in zip(weight, one, other, strict=True))
            total += (
                (2 * mean_a * mean_b + 1e-4) * (2 * both + 9e-4)
                / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
            )  # fmt: skip
    return total / (height * width)


@pytest.mark.parametrize("sigma", [0.4, 1.5, 4.0])
def test_ssim_agrees_with_loops(measure: Measure, x: Tensor, sigma: float) -> None:
    a, b = (x - 0.5)[:3], (x + 0.3 * x.flip(0) - 0.6)[:3]
    found = measure("ssim", attribution=a, perturbed_attribution=b, sigma=sigma)[""]
    expected = [slow_ssim(one, other, sigma) for one, other in zip(a, b, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_ssim_agrees_with_scikit_image_inside(measure: Measure) -> None:
    """Where no window is cut: on a map whose border of 5 pixels is zero in both."""
    metrics = pytest.importorskip("skimage.metrics")
    a, b = torch.zeros(2, 1, 1, 30, 30, dtype=torch.float64)
    noise = torch.rand(2, 10, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    a[0, 0, 10:20, 10:20], b[0, 0, 10:20, 10:20] = noise / noise.amax((1, 2), keepdim=True)
    expected = metrics.structural_similarity(
        a[0, 0].numpy(), b[0, 0].numpy(), gaussian_weights=True, use_sample_covariance=False, data_range=1.0
    )
    # scikit-image leaves out 5 pixels at the border, where both maps are zero and the similarity is 1
    inside = (20 * 20 * expected + 900 - 400) / 900
    assert measure("ssim", attribution=a, perturbed_attribution=b, sigma=1.5)[""].item() == pytest.approx(
        inside
    )


def test_cosine_and_distance_are_those_of_the_vectors(measure: Measure, x: Tensor) -> None:
    a, b = x - 0.5, x.flip(0) - 0.4
    rows = [(one.flatten().tolist(), other.flatten().tolist()) for one, other in zip(a, b, strict=True)]
    given = {"attribution": a, "perturbed_attribution": b}
    cosine, distance = measure("cosine", **given)[""], measure("l2_distance", **given)
    for index, (one, other) in enumerate(rows):
        norms = [sqrt(sum(v * v for v in each)) for each in (one, other)]
        dot = sum(u * v for u, v in zip(one, other, strict=True))
        apart = sqrt(sum((u - v) ** 2 for u, v in zip(one, other, strict=True)))
        assert cosine[index].item() == pytest.approx(dot / norms[0] / norms[1])
        assert distance[""][index].item() == pytest.approx(apart)
        assert distance["relative"][index].item() == pytest.approx(apart / sum(norms))


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_the_scale_of_both_maps_changes_only_the_raw_distance(
    measure: Measure, x: Tensor, scale: float
) -> None:
    for name in NAMES:
        expected = measure(name, attribution=x, perturbed_attribution=x.flip(0))
        found = measure(name, attribution=x * scale, perturbed_attribution=x.flip(0) * scale)
        expected[""] = expected[""] * (scale if name == "l2_distance" else 1)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("name", "same", "opposite", "one_zero", "both_zero"),
    [
        ("mass_centre_shift", 0, 0, None, 0),
        ("ssim", 1, 1, None, 1),
        ("cosine", 1, -1, 0, 0),
        ("l2_distance.relative", 0, 1, 1, 0),
    ],
)
def test_degenerate_maps_have_stated_values(
    measure: Measure, name: str, same: float, opposite: float, one_zero: float | None, both_zero: float
) -> None:
    """A hot pixel, a constant and an all-negative map; the sign counts for cosine and distance alone."""
    hot = torch.zeros(1, 2, 6, 5)
    hot[:, 1, 2, 3] = 1
    zero = torch.zeros_like(hot)
    metric, _, column = name.partition(".")

    def score(a: Tensor, b: Tensor) -> float:
        return measure(metric, attribution=a, perturbed_attribution=b)[column].item()

    for a in (hot, zero + 3, -hot - 1):
        assert score(a, a) == pytest.approx(same, abs=1e-6)
        assert score(a, -a) == pytest.approx(opposite, abs=1e-6)
        if one_zero is not None:
            assert score(a, zero) == score(zero, a) == one_zero
    assert score(zero, zero) == both_zero


def test_ssim_needs_a_window(measure: Measure, x: Tensor) -> None:
    for sigma in (0.0, -1.0):
        with pytest.raises(XaiboardError, match="'sigma' of 'ssim' must be positive"):
            measure("ssim", attribution=x, perturbed_attribution=x, sigma=sigma)
