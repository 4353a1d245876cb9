"""LENS and top-k intersection: pinned examples, invariants, chance, and a slow second implementation."""

from collections.abc import Callable
from itertools import pairwise
from math import comb

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation
from torch import Tensor
from xaiboard.benchmark import XaiboardError, metrics
from xaiboard.benchmark.toolkit.top_pixels import dilate

Measure = Callable[..., dict[str, Tensor]]
NAMES = ["topk_intersection", "lens_recall", "lens_precision"]
Peaks = dict[tuple[int, int], float]


def peaked(peaks: Peaks) -> Tensor:
    """Peaks on a 5x5 background without ties: ``0.025 - 0.001 (5 i + j)``."""
    a = (25 - torch.arange(25.0, dtype=torch.float64)).view(1, 1, 5, 5) * 1e-3
    for (i, j), value in peaks.items():
        a[0, 0, i, j] = value
    return a


SHIFT = {(1, 1): 9.0, (1, 3): 8.0, (3, 2): 7.0}, {(1, 2): 9.0, (2, 3): 8.0, (4, 4): 7.0}
BORDER = {(0, 0): 9.0, (2, 4): 8.0, (4, 2): 7.0}, {(0, 1): 9.0, (3, 0): 8.0, (1, 0): 7.0}
BLOCK = (
    {(1, 1): 9.0, (1, 2): 8.0, (2, 1): 7.0, (2, 2): 6.0, (0, 4): 5.0, (4, 4): 4.0, (4, 0): 3.0},
    {(0, 4): 9.0, (1, 4): 8.0, (0, 3): 7.0, (1, 3): 6.0, (3, 1): 5.0, (4, 4): 4.0, (1, 1): 3.0},
)
SWAP = {(1, 1): 9.0, (1, 4): 8.0, (4, 1): 7.0}, {(1, 4): 9.0, (1, 1): 8.0, (4, 4): 7.0}
SAME = {(0, 0): 9.0, (3, 3): 8.0}, {(0, 0): 9.0, (3, 3): 8.0}


@pytest.mark.parametrize(
    ("maps", "k", "expected"),
    [
        (SHIFT, 3, (0, 2 / 3, 1)),
        (BORDER, 3, (0, 2 / 3, 1 / 3)),
        (BLOCK, 3, (0, 1 / 3, 1 / 3)),
        (SWAP, 2, (1, 1, 1)),
        (SAME, 2, (1, 1, 1)),
    ],
    ids=["shift and stray", "border", "block", "order swapped", "identical"],
)
def test_pinned_examples(maps: tuple[Peaks, Peaks], k: int, expected: tuple[float, float, float]) -> None:
    """Worked out by hand on 5x5 maps; windows neither wrap at the border nor lose pixel (0, 0)."""
    a, b = map(peaked, maps)
    found = [metrics[name](attribution=a, perturbed_attribution=b, k=k)[""].item() for name in NAMES]
    assert found == pytest.approx(expected)


def slow(a: np.ndarray, b: np.ndarray, k: int, window: int) -> tuple[float, float, float, float, float]:
    """Intersection, recall, precision, and their chance levels, of two maps ``(C, H, W)``."""
    sets = []
    for each in (a, b):
        values = np.abs(each).sum(0)
        chosen = sorted((-value, index) for index, value in enumerate(values.ravel()))[:k]
        indices = [index for _, index in chosen]
        sets.append(np.isin(np.arange(values.size), indices).reshape(values.shape))
    original, perturbed = sets
    ball = np.ones((2 * window + 1, 2 * window + 1))
    wide, wide_perturbed = binary_dilation(original, ball), binary_dilation(perturbed, ball)
    return (
        (original & perturbed).sum() / k,
        (wide & perturbed).sum() / k,
        (original & wide_perturbed).sum() / k,
        wide.mean(),
        wide_perturbed.mean(),
    )


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("k", "window"), [(1, 1), (10, 0), (10, 1), (10, 2), (25, 3), (56, 1)])
def test_agrees_with_scipy(measure: Measure, x: Tensor, k: int, window: int, ties: bool) -> None:
    """On maps without ties and on maps with four levels only, signed."""
    a, b = x - 0.5, x.flip(0) - 0.5
    if ties:
        a, b = (a * 4).round(), (b * 4).round()
    given = {"attribution": a, "perturbed_attribution": b, "k": k}
    expected = torch.tensor(
        [slow(one.numpy(), other.numpy(), k, window) for one, other in zip(a, b, strict=True)]
    )
    recall, precision = (measure(name, **given, window=window) for name in NAMES[1:])
    found = [measure(NAMES[0], **given)[""], recall[""], precision[""], recall["chance"], precision["chance"]]
    torch.testing.assert_close(torch.stack(found, 1), expected)


def test_swapping_the_maps_swaps_recall_and_precision(measure: Measure, x: Tensor) -> None:
    one = measure("lens_recall", attribution=x, perturbed_attribution=x.flip(0), k=9)
    other = measure("lens_precision", attribution=x.flip(0), perturbed_attribution=x, k=9)
    for column in one:
        assert torch.equal(one[column], other[column])


@pytest.mark.parametrize("name", NAMES[1:])
def test_grows_with_the_window_from_the_intersection_to_one(measure: Measure, x: Tensor, name: str) -> None:
    given = {"attribution": x, "perturbed_attribution": x.flip(0), "k": 9}
    scores = [measure(name, **given, window=window) for window in range(8)]
    assert torch.equal(scores[0][""], measure("topk_intersection", **given)[""])
    for narrow, wide in pairwise(scores):
        assert (narrow[""] <= wide[""]).all()
        assert (narrow["chance"] <= wide["chance"]).all()
    assert torch.equal(scores[-1][""], torch.ones(6).double())
    assert torch.equal(scores[-1]["above_chance"], torch.zeros(6).double())


@pytest.mark.parametrize("name", NAMES)
def test_only_the_order_of_magnitudes_counts(measure: Measure, x: Tensor, name: str) -> None:
    x = x[:, :1]
    expected = measure(name, attribution=x, perturbed_attribution=x.flip(0), k=9)
    found = measure(name, attribution=-(x**3) * 5, perturbed_attribution=x.flip(0).exp(), k=9)
    turned = measure(name, attribution=x.mT.flip(2), perturbed_attribution=x.flip(0).mT.flip(2), k=9)
    for column, value in expected.items():
        assert torch.equal(found[column], value)
        torch.testing.assert_close(turned[column], value)


@pytest.mark.parametrize("window", [1, 2])
def test_a_shift_within_the_window_is_forgiven(measure: Measure, window: int) -> None:
    a = torch.zeros(1, 1, 16, 16)
    a[0, 0, 3::7, 3::7] = torch.tensor([[5.0, 4.0], [3.0, 2.0]])
    for name in NAMES[1:]:
        near = measure(
            name, attribution=a, perturbed_attribution=a.roll((window, -window), (2, 3)), k=4, window=window
        )
        far = measure(name, attribution=a, perturbed_attribution=a.roll(window + 1, 2), k=4, window=window)
        assert near[""] == 1
        assert far[""] == 0


def expected_chance(window: int, side: int = 28, k: int = 100) -> float:
    """Mean over pixels of the chance that none of their neighbours is among ``k`` random pixels, taken from 1."""
    reach = [min(i, window) + min(side - 1 - i, window) + 1 for i in range(side)]
    pixels = side * side
    missed = [comb(pixels - rows * columns, k) / comb(pixels, k) for rows in reach for columns in reach]
    return 1 - sum(missed) / pixels


@pytest.mark.parametrize(("window", "level"), [(0, 0.12), (1, 0.68), (2, 0.93), (3, 0.99)])
def test_chance_level_of_unrelated_maps(measure: Measure, window: int, level: float) -> None:
    """28x28, k = 100: score and chance of 400 unrelated pairs have the same, known mean (four standard errors).

    ``level`` is what was published for a smaller simulation.
    """
    a, b = torch.randn(
        2, 400, 1, 28, 28, generator=torch.Generator().manual_seed(window), dtype=torch.float64
    )
    for name in NAMES[1:]:
        found = measure(name, attribution=a, perturbed_attribution=b, k=100, window=window)
        for column in (found[""], found["chance"]):
            error = column.std().item() / 20
            assert abs(column.mean().item() - expected_chance(window)) <= 4 * error + 1e-12
        assert abs(found["above_chance"].mean()) < 4 * found["above_chance"].std() / 20
    assert expected_chance(window) == pytest.approx(level, abs=0.02)


def test_a_share_of_the_pixels_is_rounded(measure: Measure, x: Tensor) -> None:
    """A tenth of 56 pixels is 5.6, so 6; chance is the size of the set over 56."""
    a = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    found = measure("topk_intersection", attribution=a, perturbed_attribution=a, k=0.1)
    torch.testing.assert_close(found["chance"], torch.full((6,), 6 / 56).double())


def test_chance_of_the_intersection_is_the_share_of_pixels(measure: Measure, x: Tensor) -> None:
    found = measure("topk_intersection", attribution=x, perturbed_attribution=x, k=14)
    torch.testing.assert_close(found["chance"], torch.full((6,), 0.25).double())
    torch.testing.assert_close(found["above_chance"], torch.ones(6).double())
    a, b = torch.tensor([[0.0, 1, 2, 3], [2.0, 0, 1, 3]])[:, None]
    half = measure("topk_intersection", attribution=a, perturbed_attribution=b, k=2)
    assert half[""] == 0.5
    assert half["above_chance"] == 0


def test_windows_of_a_vector_lie_along_it() -> None:
    chosen = torch.tensor([[[0.0, 0, 0, 1, 0, 0]]])
    assert torch.equal(dilate(chosen, 1), torch.tensor([[[0.0, 0, 1, 1, 1, 0]]]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_maps_without_order_agree(measure: Measure, name: str, value: float) -> None:
    """All pixels tie: both sets are the first k pixels."""
    a = torch.full((2, 3, 6, 6), value)
    found = measure(name, attribution=a, perturbed_attribution=torch.zeros_like(a), k=6)
    assert torch.equal(found[""], torch.ones(2))


@pytest.mark.parametrize("name", NAMES)
def test_ties_are_members_that_another_order_would_replace(measure: Measure, x: Tensor, name: str) -> None:
    """Of the map where they are more; by looking for each member's magnitude outside the set."""
    a, b = (x * 3).round(), (x.flip(0) * 5).round()
    found = measure(name, attribution=a, perturbed_attribution=b, k=11)["ties"]
    for row, pair in enumerate(zip(a, b, strict=True)):
        shares = []
        for each in pair:
            values = each.abs().sum(0).flatten().tolist()
            order = sorted(range(len(values)), key=lambda index, of=values: (-of[index], index))
            outside = {values[index] for index in order[11:]}
            shares.append(sum(values[index] in outside for index in order[:11]) / 11)
        assert found[row].item() == pytest.approx(max(shares))
    assert found.max() > 0
    assert (measure(name, attribution=x, perturbed_attribution=x, k=11)["ties"] == 0).all()
    assert (measure(name, attribution=a, perturbed_attribution=b, k=56)["ties"] == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_single_hot_pixel_is_joined_by_the_first_pixels(measure: Measure, name: str) -> None:
    """The rest ties at zero: the hot pixel is lost, which lies in no window of the others, and they stay."""
    zero, hot = torch.zeros(2, 1, 1, 6, 6)
    hot[..., 3, 3] = -1
    given = {"attribution": hot, "perturbed_attribution": zero, "k": 4}
    found = measure(name, **given)
    assert found[""] == (1 if name == "lens_recall" else 3 / 4)
    assert found["ties"] == 1
    assert measure(name, attribution=hot, perturbed_attribution=hot, k=4)["ties"] == 3 / 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [0, 57])
def test_k_is_a_number_of_pixels(measure: Measure, x: Tensor, name: str, k: int) -> None:
    with pytest.raises(
        XaiboardError, match=f"setting 'k' of '{name}' must be at (least 1|most the 56 pixels)"
    ):
        measure(name, attribution=x, perturbed_attribution=x, k=k)


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_window_has_no_negative_radius(measure: Measure, x: Tensor, name: str) -> None:
    with pytest.raises(XaiboardError, match=f"setting 'window' of '{name}' must be at least 0"):
        measure(name, attribution=x, perturbed_attribution=x, k=3, window=-1)
