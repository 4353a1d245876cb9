"""Pointing game, relevance mass and rank, null-block share: known maps, plain loops, and Quantus."""

from collections.abc import Callable
from fractions import Fraction
from math import comb

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import XaiboardError, load_data, metrics

Measure = Callable[..., dict[str, Tensor]]
NAMES = ["pointing_game", "relevance_mass", "relevance_rank", "null_block_share"]


@pytest.fixture
def mask(x: Tensor) -> Tensor:
    return torch.rand(len(x), 1, *x.shape[2:], generator=torch.Generator().manual_seed(3)) > 0.6


@pytest.fixture
def a(x: Tensor) -> Tensor:
    """Signed, and with ties: channels of multiples of 1/4."""
    return (8 * torch.randn(x.shape, generator=torch.Generator().manual_seed(4)).double()).round() / 4


def pixels(a: Tensor, relevance: str) -> list[float]:
    rows = a.flatten(1).T.tolist()
    return [sum(row) if relevance == "signed" else sum(map(abs, row)) for row in rows]


def expected_share(values: list[float], of: list[bool], size: int) -> float:
    """Of the ``size`` largest: those above the threshold, and a fair share of those at it."""
    if size == 0:
        return 0.0
    threshold = sorted(values, reverse=True)[size - 1]
    sure = [member for value, member in zip(values, of, strict=True) if value > threshold]
    tied = [member for value, member in zip(values, of, strict=True) if value == threshold]
    return float((sum(sure) + Fraction((size - len(sure)) * sum(tied), len(tied))) / size)


def scores(measure: Measure, name: str, a: Tensor, mask: Tensor, **settings: object) -> Tensor:
    return measure(name, attribution=a, mask=mask, **settings)[""]


@pytest.mark.parametrize("relevance", ["signed", "absolute"])
def test_ranks_agree_with_loops_on_ties(measure: Measure, a: Tensor, mask: Tensor, relevance: str) -> None:
    found = {
        name: scores(measure, name, a, mask, relevance=relevance)
        for name in ("pointing_game", "relevance_rank")
    }
    for row, (map_, where) in enumerate(zip(a, mask.flatten(1).tolist(), strict=True)):
        values = pixels(map_, relevance)
        assert found["pointing_game"][row].item() == pytest.approx(expected_share(values, where, 1))
        assert found["relevance_rank"][row].item() == pytest.approx(expected_share(values, where, sum(where)))


@pytest.mark.parametrize("k", [0.1, 2.5, 10.0, 30.0, 100.0])
def test_null_block_share_agrees_with_loops(measure: Measure, a: Tensor, mask: Tensor, k: float) -> None:
    found = measure("null_block_share", attribution=a, mask=mask, k=k)
    for row, (map_, where) in enumerate(zip(a, (~mask).flatten(1).tolist(), strict=True)):
        values = pixels(map_, "absolute")
        size = max(1, round(k / 100 * len(values)))
        assert found[""][row].item() == pytest.approx(expected_share(values, where, size))
    point = round(k / 2.5)
    torch.testing.assert_close(found["curve"][:, point], found[""])
    torch.testing.assert_close(found["curve"][:, -1], found["chance"])


def test_relevance_mass_agrees_with_loops(measure: Measure, a: Tensor, mask: Tensor) -> None:
    for relevance in ("positive", "absolute"):
        found = scores(measure, "relevance_mass", a, mask, relevance=relevance)
        for row, (map_, where) in enumerate(zip(a, mask.flatten(1).tolist(), strict=True)):
            signed = pixels(map_, "signed")
            values = [max(v, 0) for v in signed] if relevance == "positive" else pixels(map_, "absolute")
            within = sum(value for value, member in zip(values, where, strict=True) if member)
            assert found[row].item() == pytest.approx(within / sum(values))


def test_a_map_of_the_mask_is_best_and_of_the_rest_worst(measure: Measure, x: Tensor, mask: Tensor) -> None:
    assert (mask.flatten(1).sum(1) < 28).all()  # a mask of half of the pixels would not be missed entirely
    shown = mask.double().expand_as(x)
    for name in NAMES:
        settings = {"k": 5.0} if name == "null_block_share" else {}
        best = torch.full((6,), float(bool(metrics[name].higher_is_better))).double()
        torch.testing.assert_close(scores(measure, name, shown, mask, **settings), best)
        torch.testing.assert_close(scores(measure, name, 1 - shown, mask, **settings), 1 - best)


def test_chance_is_what_random_maps_score(measure: Measure, mask: Tensor) -> None:
    """Means over 3000 random maps of one image, within 5 standard errors."""
    random = torch.randn(3000, 2, *mask.shape[2:], generator=torch.Generator().manual_seed(5)).double()
    for name in NAMES:
        found = measure(name, attribution=random, mask=mask[:1].expand(3000, -1, -1, -1))
        error = found[""].std() / 3000**0.5
        assert (found[""].mean() - found["chance"][0]).abs() < 5 * error
        if "above_chance" in found:
            assert found["above_chance"].mean().abs() < 5 * found["above_chance"].std() / 3000**0.5


@pytest.mark.parametrize("value", [0.0, 1.0, -2.0, 1e-40], ids=["zero", "one", "negative", "tiny"])
def test_a_constant_map_scores_chance(measure: Measure, x: Tensor, mask: Tensor, value: float) -> None:
    for name in NAMES:
        found = measure(name, attribution=torch.full_like(x, value), mask=mask)
        torch.testing.assert_close(found[""], found["chance"])
        if "above_chance" in found:
            torch.testing.assert_close(found["above_chance"], torch.zeros(6).double())


def test_empty_and_full_masks_have_stated_scores(measure: Measure, a: Tensor, mask: Tensor) -> None:
    for name in NAMES:
        null = name == "null_block_share"
        for filled in (False, True):
            found = measure(name, attribution=a, mask=torch.full_like(mask, filled))
            expected = torch.full((6,), float(filled != null)).double()
            torch.testing.assert_close(found[""], expected)
            torch.testing.assert_close(found["chance"], expected)
            if not null:
                assert torch.equal(found["above_chance"], torch.zeros(6).double())


def test_one_hot_pixel(measure: Measure) -> None:
    """Of a mask of 4 of 30 pixels it is one: the game is won, a quarter and an even share of the rest are found."""
    a, mask = torch.zeros(2, 2, 5, 6).double(), torch.zeros(2, 1, 5, 6).bool()
    mask[:, 0, 1:3, 2:4] = True
    a[0, 1, 1, 2], a[1, 1, 4, 5] = 1e-30, -3
    assert scores(measure, "pointing_game", a, mask).tolist() == pytest.approx([1, 4 / 29])
    assert scores(measure, "pointing_game", a, mask, relevance="absolute").tolist() == [1, 0]
    above = measure("pointing_game", attribution=a, mask=mask, relevance="absolute")["above_chance"]
    assert above.tolist() == pytest.approx([1, -4 / 26])
    assert scores(measure, "relevance_mass", a, mask).tolist() == pytest.approx([1, 4 / 30])
    assert scores(measure, "relevance_mass", a, mask, relevance="absolute").tolist() == [1, 0]
    rank = [(1 + 3 * 3 / 29) / 4, (4 * 4 / 29) / 4]
    assert scores(measure, "relevance_rank", a, mask).tolist() == pytest.approx(rank)
    assert scores(measure, "null_block_share", a, mask, k=5).tolist() == pytest.approx(
        [0.5 * 26 / 29, 0.5 + 0.5 * 25 / 29]
    )


def test_scale_flips_and_noise_change_nothing(measure: Measure, a: Tensor, mask: Tensor) -> None:
    for name in NAMES:
        expected = scores(measure, name, a, mask)
        for scale in (1e-30, 1e30):
            torch.testing.assert_close(scores(measure, name, scale * a, mask), expected)
        torch.testing.assert_close(scores(measure, name, a.flip(2).mT, mask.flip(2).mT), expected)
        noisy = a * (1 + 1e-12 * torch.randn(a.shape, generator=torch.Generator().manual_seed(6)).double())
        torch.testing.assert_close(scores(measure, name, noisy, mask), expected)


def test_signs_count_unless_magnitudes_are_asked_for(measure: Measure, a: Tensor, mask: Tensor) -> None:
    for name in ("pointing_game", "relevance_rank", "relevance_mass"):
        assert not torch.allclose(scores(measure, name, a, mask), scores(measure, name, -a, mask))
        found = [scores(measure, name, each, mask, relevance="absolute") for each in (a, -a, a.abs())]
        torch.testing.assert_close(found[0], found[1])
        torch.testing.assert_close(found[0], found[2])


@pytest.mark.parametrize("tolerance", [0.0, 0.9, 1.0, 1.5, 2.0, 3.0, 99.0])
def test_tolerance_is_the_distance_to_the_nearest_pixel(measure: Measure, tolerance: float) -> None:
    """Every pixel in turn is the largest."""
    mask = torch.zeros(7, 6).bool()
    mask[1, 1] = mask[5, 4] = mask[6, 4] = True
    a = torch.eye(42).double().view(42, 1, 7, 6)
    found = measure("pointing_game", attribution=a, mask=mask.expand(42, 1, 7, 6), tolerance=tolerance)
    objects = mask.nonzero().tolist()
    hits = [
        float(any((i - row) ** 2 + (j - column) ** 2 <= tolerance**2 for row, column in objects))
        for i in range(7)
        for j in range(6)
    ]
    assert found[""].tolist() == hits
    assert found["chance"][0].item() == pytest.approx(sum(hits) / 42)


def test_rank_is_the_mean_over_orders_of_ties(measure: Measure) -> None:
    """One pixel leads, and two of six tied ones follow: how many of them the mask has is hypergeometric."""
    a = torch.tensor([9.0, 1, 1, 1, 1, 1, 1, 0]).double().view(1, 1, 2, 4)
    mask = torch.tensor([0, 1, 1, 0, 0, 0, 0, 1]).bool().view(1, 1, 2, 4)
    mean = sum(hits * comb(2, hits) * comb(4, 2 - hits) for hits in range(3)) / comb(6, 2)
    assert scores(measure, "relevance_rank", a, mask).item() == pytest.approx(mean / 3)


def test_on_block_digits_the_mask_is_the_half_of_the_digit(measure: Measure) -> None:
    """The null block is the same in every image: a map of what varies is in the mask, the null block out of it."""
    data = load_data("block-digits", samples=8)
    x, mask = data.x.double(), data.mask
    assert mask is not None
    digit = torch.where(mask, x, 0)
    null = x - digit
    for drawn, expected in ((digit, 0.0), (null, 1.0)):
        found = measure("null_block_share", attribution=drawn, mask=mask, k=2.5)
        assert found[""].tolist() == [expected] * 8
    assert found["chance"].tolist() == [0.5] * 8


@pytest.mark.parametrize("name", NAMES)
def test_needs_a_mask_of_the_map(measure: Measure, a: Tensor, mask: Tensor, name: str) -> None:
    with pytest.raises(XaiboardError, match=f"'{name}' needs 'mask'"):
        measure(name, attribution=a, mask=None)
    for wrong in (mask[..., 1:], mask[:3], mask[:, 0]):
        with pytest.raises(XaiboardError, match=f"'{name}' needs a mask shaped"):
            measure(name, attribution=a, mask=wrong)


def test_settings_that_make_no_sense_are_refused(measure: Measure, a: Tensor, mask: Tensor) -> None:
    for k in (0.0, -1.0, 100.5, float("nan")):
        with pytest.raises(XaiboardError, match="'k' of 'null_block_share' must be above 0 and at most 100"):
            measure("null_block_share", attribution=a, mask=mask, k=k)
    with pytest.raises(XaiboardError, match="'tolerance' of 'pointing_game' must be at least 0"):
        measure("pointing_game", attribution=a, mask=mask, tolerance=-1.0)
