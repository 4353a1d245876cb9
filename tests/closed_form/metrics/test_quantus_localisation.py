"""Localisation against Quantus: equal on grey maps without ties, and where and why they differ."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

quantus = pytest.importorskip("quantus", reason="the comparison needs Quantus: pip install quantus")
pytestmark = pytest.mark.filterwarnings("ignore")
Measure = Callable[..., dict[str, Tensor]]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def of_quantus(name: str, a: Tensor, mask: Tensor, **settings: object) -> Tensor:
    metric = getattr(quantus, name)(abs=False, normalise=False, disable_warnings=True, **settings)
    given = {"x_batch": torch.rand(a.shape).numpy(), "y_batch": np.zeros(len(a), dtype=int)}
    scores = metric(model=None, **given, a_batch=a.numpy().copy(), s_batch=mask.numpy(), device="cpu")
    return torch.tensor(np.array(scores)).double()


@pytest.fixture
def a() -> Tensor:
    return draw(20, 1, 9, 8)


@pytest.fixture
def mask() -> Tensor:
    return draw(20, 1, 9, 8, seed=1) > 0.5


def test_grey_maps_without_ties_score_the_same(measure: Measure, a: Tensor, mask: Tensor) -> None:
    given = {"attribution": a, "mask": mask}
    torch.testing.assert_close(measure("pointing_game", **given)[""], of_quantus("PointingGame", a, mask))
    rank = of_quantus("RelevanceRankAccuracy", a, mask)
    torch.testing.assert_close(measure("relevance_rank", **given)[""], rank)
    mass = of_quantus("RelevanceMassAccuracy", a.abs(), mask)
    torch.testing.assert_close(measure("relevance_mass", **given, relevance="absolute")[""], mass)
    torch.testing.assert_close(measure("relevance_mass", attribution=a.abs(), mask=mask)[""], mass)
    top = of_quantus("TopKIntersection", a.abs(), mask, k=18)
    torch.testing.assert_close(measure("null_block_share", **given, k=25.0)[""], 1 - top)


def test_any_tied_pixel_in_the_mask_is_a_hit_for_quantus(measure: Measure, mask: Tensor) -> None:
    """Half of a rectified map ties at the top of a saturated one: it wins the game however little it knows."""
    saturated = (draw(20, 1, 9, 8, seed=2) > 0).double()
    found = measure("pointing_game", attribution=saturated, mask=mask)
    assert of_quantus("PointingGame", saturated, mask).tolist() == [1] * 20
    share = (saturated * mask).flatten(1).sum(1) / saturated.flatten(1).sum(1)
    torch.testing.assert_close(found[""], share)


def test_ties_go_to_one_corner_for_quantus(measure: Measure) -> None:
    """Where the top of a rectified map ends among its zeros, a map and its flip score differently."""
    a = draw(20, 1, 9, 8).clamp_min(0)
    mask = torch.zeros(20, 1, 9, 8).bool()
    mask[..., :8, :] = True
    upright, flipped = (
        of_quantus("RelevanceRankAccuracy", *(each.flip(axes) for each in (a, mask))) for axes in ((), (2,))
    )
    assert (upright - flipped).abs().max() > 0.05
    for axes in ((), (2,)):
        found = measure("relevance_rank", attribution=a.flip(axes), mask=mask.flip(axes))[""]
        torch.testing.assert_close(found, measure("relevance_rank", attribution=a, mask=mask)[""])


def test_signed_mass_leaves_the_unit_interval_in_quantus(measure: Measure, a: Tensor, mask: Tensor) -> None:
    mass = of_quantus("RelevanceMassAccuracy", a, mask)
    assert mass.min() < 0
    assert mass.max() > 1
    found = measure("relevance_mass", attribution=a, mask=mask)[""]
    assert ((found > 0) & (found < 1)).all()


def test_an_empty_mask_is_a_hit_for_quantus(measure: Measure, a: Tensor) -> None:
    """NaN written into an array of booleans is true."""
    empty = torch.zeros(20, 1, 9, 8).bool()
    assert of_quantus("PointingGame", a, empty).tolist() == [1] * 20
    assert of_quantus("RelevanceRankAccuracy", a, empty).isnan().all()
    for name in ("pointing_game", "relevance_rank"):
        assert measure(name, attribution=a, mask=empty)[""].tolist() == [0] * 20


def test_quantus_has_no_masks_for_colours(measure: Measure, mask: Tensor) -> None:
    """It raises unless the map has one channel; here channels are summed."""
    a = draw(20, 3, 9, 8)
    with pytest.raises(ValueError, match="broadcast"):
        of_quantus("PointingGame", a, mask)
    summed = of_quantus("PointingGame", a.sum(1, keepdim=True), mask)
    torch.testing.assert_close(measure("pointing_game", attribution=a, mask=mask)[""], summed)
