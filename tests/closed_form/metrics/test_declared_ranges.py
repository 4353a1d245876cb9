"""Declared ranges that follow from an argument: their bounds are reached, and no small case goes beyond them."""

from collections.abc import Callable, Mapping
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import Weighted, metrics
from xaiboard.benchmark.components.kinds import Metric
from xaiboard.benchmark.toolkit.score_ranges import in_range

Measure = Callable[..., dict[str, Tensor]]
SHAPES = [(1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 1, 4), (1, 1, 5), (1, 2, 2), (1, 2, 3), (1, 3, 3), (3, 2, 4)]
OF_SETS = (
    "agreement", "topk_intersection", "lens_recall", "lens_precision", "lens_curve",
    "topk_intersection_div", "lens_recall_div", "lens_precision_div",
)  # fmt: skip
OF_MASKS = ("pointing_game", "relevance_mass", "relevance_rank", "null_block_share")


def score(found: Tensor | Weighted) -> Tensor:
    return found.score if isinstance(found, Weighted) else found


def beyond(entry: Metric, found: Mapping[str, Tensor]) -> list[str]:
    """Named columns with a score outside of the declared range."""
    return [
        f"{name}: {extreme}"
        for name, values in found.items()
        if values.ndim == 1  # no curve
        for extreme in (float(values.min()), float(values.max()))
        if not in_range(extreme, entry.column(name).range or (0, 0))
    ]


def maps(shape: tuple[int, ...], seed: int) -> Tensor:
    """Forty maps, half of them with many ties."""
    generator = torch.Generator().manual_seed(seed)
    found = torch.randn(40, *shape, generator=generator, dtype=torch.float64)
    found[::2] = found[::2].round()
    return found


@pytest.mark.parametrize("name", OF_SETS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sets_of_pixels_of_small_maps(measure: Measure, name: str, shape: tuple[int, int, int]) -> None:
    """Every size of a set, every window and both arithmetics."""
    entry, pixels = metrics[name], shape[1] * shape[2]
    other = "other_attribution" if name == "agreement" else "perturbed_attribution"
    choices = {
        "k": range(1, pixels + 1), "window": range(max(shape[1:]) + 1), "reference": ("clean", "released")
    }  # fmt: skip
    taken = {setting: values for setting, values in choices.items() if setting in entry.settings}
    for values in product(*taken.values()):
        settings = dict(zip(taken, values, strict=True))
        found = measure(name, attribution=maps(shape, 0), **{other: maps(shape, 1)}, **settings)
        assert beyond(entry, found) == [], settings


@pytest.mark.parametrize("name", OF_MASKS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_masks_of_small_maps(measure: Measure, name: str, shape: tuple[int, int, int]) -> None:
    mask = maps((1, *shape[1:]), 2) > torch.linspace(-2, 2, 40).view(-1, 1, 1, 1)
    assert beyond(metrics[name], measure(name, attribution=maps(shape, 0), mask=mask)) == []


@pytest.mark.parametrize(
    ("name", "one", "other", "settings"),
    [
        ("topk_intersection", [2.0, 1.0], [1.0, 2.0], {"k": 1}),
        ("topk_intersection_div", [2.0, 1.0, 2.0], [1.0, 2.0, 1.0], {"k": 2, "window": 1}),
    ],
)
def test_the_worst_sets(
    measure: Measure, name: str, one: list[float], other: list[float], settings: dict[str, int]
) -> None:
    first, second = (torch.tensor([values]).double() for values in (one, other))
    found = measure(name, attribution=first, perturbed_attribution=second, **settings)
    bounds = metrics[name].column("above_chance").range
    assert bounds
    assert found["above_chance"].item() == pytest.approx(bounds[0])


@pytest.mark.parametrize("name", ["max_sensitivity", "average_sensitivity"])
def test_the_largest_change_is_to_an_opposite_map(measure: Measure, name: str, x: Tensor) -> None:
    found = measure(name, explain=lambda z: torch.full_like(z, -100.0), x=x, attribution=torch.ones_like(x))
    assert found[""].tolist() == pytest.approx([metrics[name].range[1]] * 6)  # type: ignore[index]


def test_the_largest_gap_of_completeness(
    measure: Measure, two_classes: nn.Module, x: Tensor, target: Tensor
) -> None:
    """A change of the logit that is a millionth of the sum of attributions, of the other sign."""
    logits = two_classes(x).detach()
    a = (-1e6 * logits[:, :1] / x[0].numel())[..., None, None].expand_as(x)
    found = measure(
        "completeness", model=two_classes, x=x, target=target, logits=logits, attribution=a, reference=None
    )
    assert score(found[""]).tolist() == pytest.approx([metrics["completeness"].range[1]] * 6)  # type: ignore[index]


def test_the_largest_and_the_smallest_rise_of_entropy(measure: Measure, net: nn.Module, x: Tensor) -> None:
    ramp, flat = torch.arange(4.0).double().view(1, 1, 2, 2).expand(6, 1, 2, 2), x.new_zeros(6, 1, 2, 2)
    given = {"model": net, "x": x[:, :1, :2, :2], "bins": 4}
    rise = measure("emprt", explain=lambda z, **_: ramp, attribution=flat, **given)
    fall = measure("emprt", explain=lambda z, **_: flat, attribution=ramp, **given)
    extremes = tuple(score(found[""])[0].item() for found in (fall, rise))
    assert extremes == pytest.approx(metrics["emprt"].range)


def test_the_margin_is_cut_at_both_bounds(measure: Measure, x: Tensor, target: Tensor) -> None:
    before = torch.tensor([[1.0, 0.0]]).double().expand(6, 2)
    for sign, bound in zip(
        (-9, 9), metrics["perturbation_size"].column("margin_kept").range or (), strict=True
    ):
        found = measure(
            "perturbation_size",
            x=x,
            target=target,
            logits=before,
            perturbed_x=x,
            perturbed_logits=sign * before,
        )
        assert score(found["margin_kept"]).tolist() == [bound] * 6
