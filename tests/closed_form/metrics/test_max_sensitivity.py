"""Linear models: the gradient never changes, input x gradient changes by ``w d``."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng

Measure = Callable[..., dict[str, Tensor]]


def test_a_constant_gradient_is_insensitive(measure: Measure, x: Tensor, w: Tensor) -> None:
    found = measure("max_sensitivity", explain=w.expand_as, x=x, attribution=w.expand_as(x))
    assert torch.equal(found[""], torch.zeros(6).double())


def test_input_x_gradient_changes_by_weight_times_noise(measure: Measure, x: Tensor, w: Tensor) -> None:
    found = measure("max_sensitivity", explain=lambda z: w * z, x=x, attribution=w * x, radius=0.1, draws=4)
    rng = SampleRng(0, range(6), "max_sensitivity")
    ratios = []
    for _ in range(4):
        d = rng.uniform(x, -0.1, 0.1)
        assert d.abs().max() <= 0.1
        ratios.append([(w * each).norm() / (w * image).norm() for each, image in zip(d, x, strict=True)])
    expected = torch.tensor(ratios, dtype=torch.float64).amax(0)
    torch.testing.assert_close(found[""], expected)


def test_is_bounded_for_input_x_gradient(measure: Measure, x: Tensor, w: Tensor) -> None:
    """``|w d| / |w x| <= radius |w| / |w x|``, and noise reaches beyond ``[0, 1]``: it is not clamped."""
    white, seen = torch.ones_like(x), []
    found = measure(
        "max_sensitivity", explain=lambda z: (seen.append(z.max()), w * z)[1], x=white, attribution=w * white
    )
    assert (found[""] <= 0.02).all()
    assert (found[""] > 0).all()
    assert 1 < max(seen) <= 1.02


def test_the_unit_of_a_map_changes_nothing(measure: Measure, x: Tensor) -> None:
    large, small = (
        measure("max_sensitivity", explain=lambda z, s=s: s * z**3, x=x, attribution=s * x**3)[""]
        for s in (1.0, 1e-30)
    )
    torch.testing.assert_close(large, small)


def test_maps_that_vanish(measure: Measure, x: Tensor) -> None:
    """Always: 0. At ``x`` only: an infinite ratio, cut at 100."""
    zero = torch.zeros_like(x)
    assert torch.equal(
        measure("max_sensitivity", explain=torch.zeros_like, x=x, attribution=zero)[""],
        torch.zeros(6).double(),
    )
    for scale in (1.0, 1e-20):
        found = measure("max_sensitivity", explain=lambda z, s=scale: s * (z - x), x=x, attribution=zero)
        torch.testing.assert_close(found[""], torch.full((6,), 100.0).double())


@pytest.mark.parametrize("settings", [{"draws": 0}, {"radius": -0.1}], ids=["draws", "radius"])
def test_settings_that_make_no_sense_are_refused(
    measure: Measure, x: Tensor, settings: dict[str, float]
) -> None:
    with pytest.raises(XaiboardError, match="of 'max_sensitivity' must be at least"):
        measure("max_sensitivity", explain=torch.zeros_like, x=x, attribution=x, **settings)
