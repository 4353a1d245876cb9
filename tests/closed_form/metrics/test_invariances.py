"""What must not change a score: order and precision of samples, the map's scale, flips, the logits' temperature.

And what a score must not change: what it is given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import metrics

NAMES = sorted(name for name, entry in metrics.items() if entry.family != "model" and not entry.library)

QUICK: dict[object, dict[str, object]] = {"imputed": {"steps": 4, "orders": 2}}
"""Settings beside a choice that takes long."""

CHOICES = [
    pytest.param(name, {key: choice} | QUICK.get(choice, {}), id=f"{name}-{key}={choice}")
    for name in NAMES
    for key, setting in metrics[name].settings.items()
    for choice in setting.choices
    if choice != setting.default
]
"""Metrics with each of their settings that are words."""

UNITS = {
    "agreement": {"l2"},
    "completeness": {""},
    "l2_distance": {""},
    "local_lipschitz_estimate": {""},
    "stability": {"l2"},
}
"""Columns in units of the attribution; no other knows the scale of the map."""

RATIOS = {"normalised", "margin_kept"}
"""Weighted columns whose mean is sum over sum: both may have the unit of the logits."""

DRAWN = {
    name
    for name in NAMES
    if "rng" in metrics[name].supplied
    or any("rng" in value.supplied for value in metrics[name].shared.values())
}
"""Metrics with random numbers: places are drawn, and a flipped image has others."""


def maps(x: Tensor) -> Tensor:
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64).to(x)


def few(name: str) -> dict[str, float]:
    """Sets of pixels that are fewer than the image has."""
    sets = "k" in metrics[name].settings and metrics[name].family in ("stability", "agreement")
    return {"k": 5.0} if sets else {}


def move(z: Tensor, x: Tensor, a: Tensor) -> Tensor:
    """An explanation that changes with the image, in the units of ``a``."""
    return a * (1 + 3 * (z - x))


def scores(bed: Any, name: str, a: Tensor) -> dict[str, Tensor]:  # noqa: ANN401 - of conftest
    again = maps(bed.x + 1).roll(1, 0) * a.abs().amax()
    return bed.score(name, a, explain=lambda z, **_: move(z, bed.x, a), perturbed=a + again / 4, **few(name))


def parts(found: dict[str, Tensor], column: str) -> list[str]:
    """A column's keys: of a weighted one, the product and the weight."""
    return [column] if column in found else [f"{column} product", f"{column} weight"]


def same(found: dict[str, Tensor], expected: dict[str, Tensor], columns: set[str], tolerance: float) -> None:
    for column in columns:
        torch.testing.assert_close(
            found[column], expected[column].to(found[column]), rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize(("name", "settings"), [*((name, {}) for name in NAMES), *CHOICES])
def test_samples_may_come_in_any_order(bed: Any, name: str, settings: dict[str, str]) -> None:  # noqa: ANN401
    order = [3, 0, 5, 1]
    a = maps(bed.x)
    again = a.roll(1, 0)

    def of(rows: list[int]) -> dict[str, Tensor]:
        part = replace(bed, x=bed.x[rows], ids=rows, mask=bed.mask[rows])
        part_a = a[rows]
        return part.score(
            name,
            part_a,
            perturbed=again[rows],
            explain=lambda z, **_: move(z, bed.x[rows], part_a),
            background=bed.x,
            **few(name),
            **settings,
        )

    expected = of(list(range(len(bed.x))))
    found = of(order)
    same(found, {column: value[order] for column, value in expected.items()}, set(found), 1e-9)


@pytest.mark.parametrize("name", sorted(name for name, entry in metrics.items() if not entry.library))
def test_what_a_metric_is_given_stays_as_it_is(bed: Any, name: str) -> None:  # noqa: ANN401
    a = maps(bed.x)
    given = [bed.x, bed.mask, a, a.roll(1, 0), a.roll(2, 0), *bed.model.parameters()]
    before = [value.clone() for value in given]
    found = bed.score(name, a, perturbed=given[3], other=given[4], explain=lambda z, **_: a, **few(name))
    assert all(torch.equal(value, kept) for value, kept in zip(given, before, strict=True))
    assert not any(value.requires_grad for value in (*given[:5], *found.values()))
    assert all(parameter.grad is None for parameter in bed.model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_single_precision_gives_the_same_score(bed: Any, name: str) -> None:  # noqa: ANN401
    single = replace(bed, x=bed.x.float(), model=bed.model.float())
    found = scores(single, name, maps(single.x))
    assert all(value.dtype == torch.float32 for value in found.values())
    double = replace(bed, x=bed.x.float().double(), model=bed.model.double())
    tolerance = 1e-3 if name == "relative_output_stability" else 2e-4  # it divides by small changes of logits
    same(found, scores(double, name, maps(single.x).double()), set(found), tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_the_scale_of_the_map_counts_only_where_it_says_so(bed: Any, name: str) -> None:  # noqa: ANN401
    a = maps(bed.x)
    one, other = scores(bed, name, a), scores(bed, name, 512 * a)
    units = {parts(one, column)[0] for column in UNITS.get(name, set())}
    same(other, one, set(one) - units, 1e-9)
    assert all(not torch.allclose(other[column], one[column]) for column in units)


@pytest.mark.parametrize("name", sorted(set(NAMES) - DRAWN - {"jpeg_size"}))  # JPEG codes row after row
@pytest.mark.parametrize("turn", ["flip rows", "flip columns", "transpose"])
def test_image_and_map_may_be_turned_together(bed: Any, name: str, turn: str) -> None:  # noqa: ANN401
    def turned(values: Tensor) -> Tensor:
        if turn == "transpose":
            return values.mT.contiguous()
        return values.flip(2 if turn == "flip rows" else 3)

    layer = bed.model[1]
    weight = layer.weight.data.view(2, *bed.x.shape[1:])
    linear = nn.Linear(layer.in_features, 2, bias=False).double()
    linear.weight.data = turned(weight).reshape(2, -1)
    there = replace(
        bed, x=turned(bed.x), mask=turned(bed.mask), model=nn.Sequential(nn.Flatten(), linear).eval()
    )
    a, again = maps(bed.x), maps(bed.x).roll(1, 0)

    def of(bed: Any, a: Tensor, again: Tensor) -> dict[str, Tensor]:  # noqa: ANN401
        return bed.score(name, a, perturbed=again, other=again, explain=lambda z, **_: a, **few(name))

    found, expected = of(there, turned(a), turned(again)), of(bed, a, again)
    same(found, expected, set(expected), 1e-9)


class Divided(nn.Module):
    def __init__(self, net: nn.Module, temperature: float) -> None:
        super().__init__()
        self.net, self.temperature = net, temperature

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) / self.temperature


@pytest.mark.parametrize("name", NAMES)
def test_what_compares_models_does_not_know_the_temperature(bed: Any, net: nn.Module, name: str) -> None:  # noqa: ANN401
    entry = metrics[name]
    compared = {column for column in ("", *entry.columns) if entry.column(column).across_models}
    if not compared:
        pytest.skip("no column compares models")
    cold, usual, hot = (
        scores(replace(bed, model=Divided(net, temperature)), name, maps(bed.x))
        for temperature in (0.25, 1.0, 4.0)
    )
    for column in compared:
        keys = set(parts(usual, column))
        for found in (cold, hot):
            if len(keys) == 2 and column in RATIOS:
                ratio = found[f"{column} weight"] / usual[f"{column} weight"]
                torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio))
                found |= {key: found[key] / ratio for key in keys}
            same(found, usual, keys, 1e-9)
