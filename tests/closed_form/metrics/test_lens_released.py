"""The arithmetic of the released code: pinned examples, and a slow emulation with flat indices."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import XaiboardError, metrics
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.components.patterns import select
from xaiboard.benchmark.toolkit.diverse_pixels import diverse_pixels
from xaiboard.benchmark.toolkit.lens_released import flat_dilate

Measure = Callable[..., dict[str, Tensor]]
NAMES = ["lens_recall", "lens_precision", "topk_intersection_div", "lens_recall_div", "lens_precision_div"]


def peaked(*peaks: tuple[int, int]) -> Tensor:
    """Peaks of 9, 8, 7 ... on a 5x5 background without ties: ``0.025 - 0.001 (5 i + j)``."""
    a = (25 - torch.arange(25.0, dtype=torch.float64)).view(1, 1, 5, 5) * 1e-3
    for rank, (i, j) in enumerate(peaks):
        a[0, 0, i, j] = 9 - rank
    return a


SHIFT = peaked((1, 1), (1, 3), (3, 2)), peaked((1, 2), (2, 3), (4, 4))
BORDER = peaked((0, 0), (2, 4), (4, 2)), peaked((0, 1), (3, 0), (1, 0))
BLOCK = (
    peaked((1, 1), (1, 2), (2, 1), (2, 2), (0, 4), (4, 4), (4, 0)),
    peaked((0, 4), (1, 4), (0, 3), (1, 3), (3, 1), (4, 4), (1, 1)),
)
SWAP = peaked((1, 1), (1, 4), (4, 1)), peaked((1, 4), (1, 1), (4, 4))
SAME = peaked((0, 0), (3, 3)), peaked((0, 0), (3, 3))


@pytest.mark.parametrize(
    ("maps", "k", "expected"),
    [
        (SHIFT, 3, (2 / 3, 1, 0, 2 / 3, 2 / 3)),
        (BORDER, 3, (1, 1 / 3, 0, 0, 0)),
        (BLOCK, 3, (1 / 3, 1 / 3, 2 / 3, 2 / 3, 2 / 3)),
        (SWAP, 2, (1, 1, 0, 0, 0)),
        (SAME, 2, (0.5, 0.5, 0.5, 0.5, 0.5)),
    ],
    ids=["shift and stray", "border", "block", "order swapped", "identical"],
)
def test_pinned_examples(maps: tuple[Tensor, Tensor], k: int, expected: tuple[float, ...]) -> None:
    """What the released scripts give on 5x5 maps; identical maps score a half, for pixel 0 counts nowhere."""
    given = {"attribution": maps[0], "perturbed_attribution": maps[1], "k": k, "reference": "released"}
    assert [metrics[name](**given)[""].item() for name in NAMES] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("maps", "k", "sets"),
    [
        (SHIFT, 3, ({6, 17, 15}, {7, 4, 14})),
        (BORDER, 3, ({14, 22}, {1, 3, 12})),
        (BLOCK, 3, ({6, 24, 13}, {4, 24, 6})),
        (SWAP, 2, ({6, 21}, {9, 24})),
    ],
    ids=["shift and stray", "border", "block", "order swapped"],
)
def test_pinned_diverse_sets(maps: tuple[Tensor, Tensor], k: int, sets: tuple[set[int], set[int]]) -> None:
    found = [diverse_pixels(a, k, 1, "", "released").pixels.flatten() for a in maps]
    assert tuple(set(each.nonzero().flatten().tolist()) for each in found) == sets


def window(index: int, w: int, width: int) -> set[int]:
    return {index + row * width + column for row in range(-w, w + 1) for column in range(-w, w + 1)}


def dilated(indices: set[int], w: int, width: int, pixels: int) -> set[int]:
    every = set().union(*(window(index, w, width) for index in indices)) if indices else set()
    return {index for index in every if 0 < index < pixels}


def descending(values: list[float]) -> list[int]:
    return sorted(range(len(values)), key=lambda index: (values[index], index), reverse=True)


def released_div(values: list[float], k: int, w: int, width: int) -> set[int]:
    """The loop of the scripts, which end with an error where no candidate is left; here the set stays as it is."""
    queue, pixels = descending(values), len(values)
    chosen = [queue[0]]
    gone = dilated({queue[0]}, w, width, pixels)
    queue = [index for index in queue if index not in gone]
    for _ in range(k - 1):
        if not queue:
            break
        gone = dilated({queue[0]}, w, width, pixels)
        queue = [index for index in queue if index not in gone and index != 0]
        chosen += queue[:1]
    return {index for index in chosen if index != 0}


def slow(a: Tensor, b: Tensor, k: int, w: int) -> list[float]:
    width, pixels = a.shape[-1], a[0].numel()
    flat = [each.abs().sum(0).flatten().tolist() for each in (a, b)]
    tops = [set(descending(values)[:k]) for values in flat]
    diverse = [released_div(values, k, w, width) for values in flat]
    found = []
    for original, perturbed in (tops, diverse):
        recall = len(dilated(original, w, width, pixels) & perturbed) / k
        precision = len(original & dilated(perturbed, w, width, pixels)) / k
        found.append((recall, precision))
    return [*found[0], len(diverse[0] & diverse[1]) / k, *found[1]]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(
    ("k", "w"), [(1, 1), (2, 1), (3, 2), (9, 1), (12, 0), (30, 1), (4, 3), (56, 1), (3, 20)]
)
def test_agrees_with_the_loop_over_flat_indices(
    measure: Measure, x: Tensor, k: int, w: int, ties: bool
) -> None:
    """Random maps, some with their largest value at pixel 0 or beside it, where the scripts behave oddly."""
    generator = torch.Generator().manual_seed(k + w)
    a, b = torch.rand(2, *x.shape, generator=generator, dtype=torch.float64) - 0.5
    if ties:
        a, b = (a * 6).round(), (b * 6).round()
    for odd, place in ((a, 0), (b, 0), (a, 1), (b, 7)):
        odd[place % 6, :, 0, place % 7] = 5
    a[2, :, 0, 0], a[2, :, 0, 1] = 4, 5
    given = {"attribution": a, "perturbed_attribution": b, "k": k, "window": w, "reference": "released"}
    found = torch.stack([measure(name, **given)[""] for name in NAMES], 1)
    expected = [slow(one, other, k, w) for one, other in zip(a, b, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_windows_of_a_row_run_into_the_next() -> None:
    chosen = torch.zeros(1, 3, 4)
    chosen[0, 1, 0] = 1
    assert flat_dilate(chosen, 1)[0].tolist() == [[0, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 0]]


def test_it_is_a_setting_like_any_other() -> None:
    (choice,) = select(metrics, "lens_recall[reference=released,k=0.1]")
    assert choice.settings == {"k": 0.1, "window": 1, "reference": "released"}
    assert choose(metrics["lens_recall"], {"k": "100"}).at((1, 28, 28)).label == "lens_recall"
    with pytest.raises(XaiboardError, match="'reference' of 'lens_recall' must be one of clean, released"):
        choose(metrics["lens_recall"], {"reference": "paper"})


def test_a_share_of_the_pixels_is_rounded(measure: Measure, x: Tensor) -> None:
    for name in (*NAMES, "topk_intersection", "lens_curve"):
        given = {"attribution": x, "perturbed_attribution": x.flip(0)}
        for share, size in ((0.25, 14), (0.1, 6), (0.001, 1)):
            whole, part = measure(name, **given, k=size), measure(name, **given, k=share)
            for column, value in whole.items():
                assert torch.equal(part[column], value)
