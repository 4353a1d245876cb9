"""Diverse sets: pinned examples, a slow second implementation, and what must hold for any greedy choice."""

from collections.abc import Callable
from itertools import pairwise
from math import ceil

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import XaiboardError, methods, metrics
from xaiboard.benchmark.toolkit.diverse_pixels import diverse_pixels

Measure = Callable[..., dict[str, Tensor]]
NAMES = ["topk_intersection_div", "lens_recall_div", "lens_precision_div"]
Pixel = tuple[int, int]
Peaks = dict[Pixel, float]


def peaked(peaks: Peaks) -> Tensor:
    """Peaks on a 5x5 background without ties: ``0.025 - 0.001 (5 i + j)``."""
    a = (25 - torch.arange(25.0, dtype=torch.float64)).view(1, 1, 5, 5) * 1e-3
    for (i, j), value in peaks.items():
        a[0, 0, i, j] = value
    return a


def pixels(chosen: Tensor) -> set[Pixel]:
    return {(i, j) for i, j in chosen.nonzero().tolist()}


SHIFT = {(1, 1): 9.0, (1, 3): 8.0, (3, 2): 7.0}, {(1, 2): 9.0, (2, 3): 8.0, (4, 4): 7.0}
BORDER = {(0, 0): 9.0, (2, 4): 8.0, (4, 2): 7.0}, {(0, 1): 9.0, (3, 0): 8.0, (1, 0): 7.0}
BLOCK = (
    {(1, 1): 9.0, (1, 2): 8.0, (2, 1): 7.0, (2, 2): 6.0, (0, 4): 5.0, (4, 4): 4.0, (4, 0): 3.0},
    {(0, 4): 9.0, (1, 4): 8.0, (0, 3): 7.0, (1, 3): 6.0, (3, 1): 5.0, (4, 4): 4.0, (1, 1): 3.0},
)
SWAP = {(1, 1): 9.0, (1, 4): 8.0, (4, 1): 7.0}, {(1, 4): 9.0, (1, 1): 8.0, (4, 4): 7.0}
SAME = {(0, 0): 9.0, (3, 3): 8.0}, {(0, 0): 9.0, (3, 3): 8.0}


@pytest.mark.parametrize(
    ("maps", "k", "sets", "expected"),
    [
        (SHIFT, 3, ({(1, 1), (1, 3), (3, 2)}, {(1, 2), (4, 4), (0, 0)}), (0, 2 / 3, 2 / 3)),
        (BORDER, 3, ({(0, 0), (2, 4), (4, 2)}, {(0, 1), (3, 0), (0, 3)}), (0, 1 / 3, 1 / 3)),
        (BLOCK, 3, ({(1, 1), (0, 4), (4, 4)}, {(0, 4), (3, 1), (4, 4)}), (2 / 3, 2 / 3, 2 / 3)),
        (SWAP, 2, ({(1, 1), (1, 4)}, {(1, 4), (1, 1)}), (1, 1, 1)),
        (SAME, 2, ({(0, 0), (3, 3)}, {(0, 0), (3, 3)}), (1, 1, 1)),
    ],
    ids=["shift and stray", "border", "block", "order swapped", "identical"],
)
def test_pinned_examples(
    maps: tuple[Peaks, Peaks],
    k: int,
    sets: tuple[set[Pixel], set[Pixel]],
    expected: tuple[float, float, float],
) -> None:
    """Worked out by hand on 5x5 maps with windows of 3x3."""
    a, b = map(peaked, maps)
    assert tuple(pixels(diverse_pixels(each, k, 1, "").pixels[0]) for each in (a, b)) == sets
    found = [metrics[name](attribution=a, perturbed_attribution=b, k=k) for name in NAMES]
    assert [each[""].item() for each in found] == pytest.approx(expected)
    assert [each["found"].item() for each in found] == [k, k, k]


def one_by_one(a: Tensor, k: int, window: int) -> list[Pixel]:
    """The picks of a map ``(C, H, W)``, in order."""
    channels, height, width = a.shape
    values = {
        (i, j): sum(abs(a[c, i, j].item()) for c in range(channels))
        for i in range(height)
        for j in range(width)
    }
    picks: list[Pixel] = []
    while values and len(picks) < k:
        best = max(values, key=lambda pixel: (round(values[pixel], 9), -pixel[0], -pixel[1]))
        picks.append(best)
        values = {
            (i, j): value
            for (i, j), value in values.items()
            if max(abs(i - best[0]), abs(j - best[1])) > window
        }
    return picks


def near(pixel: Pixel, picks: list[Pixel], window: int) -> bool:
    return any(max(abs(pixel[0] - i), abs(pixel[1] - j)) <= window for i, j in picks)


def slow(a: Tensor, b: Tensor, k: int, window: int) -> list[list[float]]:
    """Share, chance and pixels found, of the three metrics, of two maps ``(C, H, W)``."""
    original, perturbed = one_by_one(a, k, window), one_by_one(b, k, window)
    height, width = a.shape[1:]
    everywhere = [(i, j) for i in range(height) for j in range(width)]
    found = min(len(original), len(perturbed))

    def covered(these: list[Pixel], by: list[Pixel]) -> list[float]:
        share = sum(near(pixel, by, window) for pixel in these) / len(these)
        return [share, sum(near(pixel, by, window) for pixel in everywhere) / len(everywhere), found]

    shared = len(set(original) & set(perturbed)) / found
    chance = len(original) * len(perturbed) / len(everywhere) / found
    return [[shared, chance, found], covered(perturbed, original), covered(original, perturbed)]


def levels(x: Tensor, count: int) -> Tensor:
    return (x * count).round() / count


@pytest.mark.parametrize("ties", [0, 3, 1], ids=["no ties", "few levels", "constant"])
@pytest.mark.parametrize(("k", "window"), [(1, 1), (5, 0), (5, 1), (40, 1), (4, 2), (56, 3), (3, 9)])
def test_agrees_with_picking_one_by_one(measure: Measure, x: Tensor, k: int, window: int, ties: int) -> None:
    """Signed maps, grey and RGB; also where there are fewer than ``k`` pixels that lie apart."""
    a, b = (x - 0.5)[:3], (x.flip(0) - 0.5)[:3]
    if ties == 1:
        a = torch.full_like(a, -0.5)
    elif ties:
        a, b = levels(a, ties), levels(b, ties)
    given = {"attribution": a, "perturbed_attribution": b, "k": k, "window": window}
    columns = [measure(name, **given) for name in NAMES]
    found = torch.stack([torch.stack([c[""], c["chance"], c["found"]], 1) for c in columns], 1)
    expected = [slow(one, other, k, window) for one, other in zip(a, b, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=found.dtype))


@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("kind", ["noise", "ramp", "constant", "bump"])
def test_members_lie_apart_and_leave_no_room(window: int, kind: str) -> None:
    """As many as there can be: no two within a window, every pixel in the window of one; known least and most."""
    height, width = 19, 26
    i, j = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    maps = {
        "noise": torch.rand(height, width, generator=torch.Generator().manual_seed(0)),
        "ramp": 1.0 + i * width + j,
        "constant": torch.ones(height, width),
        "bump": torch.exp(-((i - 9.2) ** 2 + (j - 11.3) ** 2) / 40.0),
    }
    chosen = diverse_pixels(maps[kind][None, None], height * width, window, "").pixels[0]
    picks = sorted(pixels(chosen))
    apart = [max(abs(a - c), abs(b - d)) for a, b in picks for c, d in picks if (a, b) != (c, d)]
    assert min(apart) > window
    assert all(near((row, column), picks, window) for row in range(height) for column in range(width))
    least = ceil(height / (2 * window + 1)) * ceil(width / (2 * window + 1))
    most = ceil(height / (window + 1)) * ceil(width / (window + 1))
    assert least <= len(picks) <= most
    if kind == "constant":
        assert len(picks) == most


def test_fewer_picks_are_the_first_of_more(x: Tensor) -> None:
    picks = [pixels(diverse_pixels(x[:1], k, 1, "").pixels[0]) for k in range(1, 9)]
    assert [len(each) for each in picks] == list(range(1, 9))
    for few, many in pairwise(picks):
        assert few < many


@pytest.mark.parametrize("name", NAMES)
def test_a_window_of_one_pixel_gives_the_plain_metric(measure: Measure, x: Tensor, name: str) -> None:
    given = {"attribution": x, "perturbed_attribution": x.flip(0), "k": 9}
    found = measure(name, **given, window=0)
    plain = name.removesuffix("_div")
    window = {} if plain == "topk_intersection" else {"window": 0}
    for column, value in measure(plain, **given, **window).items():
        torch.testing.assert_close(found[column], value)


def test_swapping_the_maps_swaps_recall_and_precision(measure: Measure, x: Tensor) -> None:
    one = measure("lens_recall_div", attribution=x, perturbed_attribution=x.flip(0), k=9)
    other = measure("lens_precision_div", attribution=x.flip(0), perturbed_attribution=x, k=9)
    for column in one:
        assert torch.equal(one[column], other[column])


@pytest.mark.parametrize("name", NAMES)
def test_only_the_order_of_magnitudes_counts(measure: Measure, x: Tensor, name: str) -> None:
    x = x[:, :1]
    expected = measure(name, attribution=x, perturbed_attribution=x.flip(0), k=9)
    found = measure(name, attribution=-(x**3) * 5, perturbed_attribution=x.flip(0).exp(), k=9)
    turned = measure(name, attribution=x.mT.flip(2), perturbed_attribution=x.flip(0).mT.flip(2), k=9)
    for column, value in expected.items():
        assert torch.equal(found[column], value)
        torch.testing.assert_close(turned[column], value)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_does_not_see_its_batch(measure: Measure, x: Tensor, name: str) -> None:
    """Not even the number of rounds that the others need."""
    x = torch.cat([x, torch.ones_like(x[:1])])
    whole = measure(name, attribution=x, perturbed_attribution=x.flip(0), k=12)
    for row in range(len(x)):
        alone = measure(
            name, attribution=x[row : row + 1], perturbed_attribution=x.flip(0)[row : row + 1], k=12
        )
        for column, value in alone.items():
            assert torch.equal(value, whole[column][row : row + 1])


@pytest.mark.parametrize(("window", "level"), [(1, 0.81), (2, 1.0), (3, 1.0)])
def test_chance_level_of_unrelated_maps(measure: Measure, window: int, level: float) -> None:
    """28x28, k = 100: unrelated noise scores at chance; at windows of 2 and 3 the sets cover the whole map.

    Diverse pixels are a little denser at the border, which costs the chance level 0.01.
    """
    a, b = torch.randn(2, 200, 1, 28, 28, generator=torch.Generator().manual_seed(window))
    found = measure("lens_recall_div", attribution=a, perturbed_attribution=b, k=100, window=window)
    assert found[""].mean().item() == pytest.approx(found["chance"].mean().item(), abs=0.015)
    assert found[""].mean().item() == pytest.approx(level, abs=0.015)
    if window > 1:
        assert (found["found"] < 100).all()
        assert (found["above_chance"] == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_degenerate_maps_have_stated_values(measure: Measure, name: str) -> None:
    """Without an order (0, 0), (0, 3), (0, 6), (3, 0) are picked; a hot pixel (3, 3) comes before them."""
    zero, hot = torch.zeros(1, 3, 7, 7), torch.zeros(1, 3, 7, 7)
    hot[:, :, 3, 3] = -1
    for a, b, share, ties in (
        (zero, zero, 1.0, 1.0),
        (zero, zero - 2, 1.0, 1.0),
        (hot, hot, 1.0, 3 / 4),
        (hot, zero, 3 / 4, 1.0),
    ):
        found = measure(name, attribution=a, perturbed_attribution=b, k=4, window=2)
        assert found[""].item() == pytest.approx(share), (name, share)
        assert found["ties"].item() == pytest.approx(ties)
        assert all(value.isfinite().all() for value in found.values())


@pytest.mark.parametrize("name", NAMES)
def test_refuses_sets_that_do_not_exist(measure: Measure, x: Tensor, name: str) -> None:
    for settings, problem in (
        ({"k": 57}, "'k' of '{}' must be at most the 56 pixels"),
        ({"k": 0}, "'k' of '{}' must be at least 1"),
        ({"k": -0.5}, "'k' of '{}' must be at least 1"),
        ({"k": 2.5}, "'k' of '{}' must be at least 1 and whole"),
        ({"k": float("nan")}, "'k' of '{}' must be at least 1"),
        ({"k": 3, "window": -1}, "'window' of '{}' must be at least 0"),
    ):
        with pytest.raises(XaiboardError, match=problem.format(name)):
            measure(name, attribution=x, perturbed_attribution=x, **settings)


def test_the_diverse_set_is_a_map_of_its_own() -> None:
    """Drawn by hand: the peak deletes its neighbours, the second pixel is the next that lies apart."""
    a = torch.zeros(1, 3, 4, 5)
    a[0, :, 1, 1], a[0, :, 1, 2], a[0, 0, 3, 4] = -5.0, 4.0, 3.0
    found = methods["diverse_top"](attribution=a, k=2, window=1)
    expected = torch.zeros_like(a)
    expected[0, :, 1, 1] = expected[0, :, 3, 4] = 1
    assert torch.equal(found, expected)
    assert torch.equal(
        methods["diverse_top"](attribution=a[0, 0].flatten()[None], k=1).nonzero(), torch.tensor([[0, 6]])
    )


def test_the_diverse_map_is_the_set_that_is_compared(x: Tensor) -> None:
    a = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    found = methods["diverse_top"](attribution=a, k=6, window=1)
    assert torch.equal(found.flatten(2).sum(2), torch.full(a.shape[:2], 6.0).double())
    assert torch.equal(
        metrics["topk_intersection_div"](attribution=a, perturbed_attribution=found, k=6)[""],
        torch.ones(6).double(),
    )
