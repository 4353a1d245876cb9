"""Accuracy-robustness area: identities of the integral, and a linear model."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import metrics
from xaiboard.benchmark.engine.passes import count_passes
from xaiboard.benchmark.errors import SettingError, XaiboardWarning, noted
from xaiboard.metrics.ara import area

CLASSES = 10


@pytest.fixture(params=range(4))
def distance(request: pytest.FixtureRequest) -> Tensor:
    """With zeros (wrong predictions) and repeated values."""
    drawn = torch.rand(150, generator=torch.Generator().manual_seed(request.param), dtype=torch.float64)
    drawn[: 20 * request.param] = 0
    drawn[100:105] = drawn[105]
    return 0.3 * drawn


def by_trapezoids(distance: Tensor, classes: int, points: int = 2_000_001) -> float:
    """The integral by a fine rule that knows nothing of where the steps are."""
    r = torch.linspace(0, float(distance.max()) + 1e-3, points, dtype=torch.float64)
    beyond = len(distance) - torch.searchsorted(distance.sort().values, r, right=True)
    return float(torch.trapezoid((beyond / len(distance) - 1 / classes).clamp_min(0), r))


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_equals_the_integral_of_its_definition(distance: Tensor, classes: int) -> None:
    assert float(area(distance, classes).mean()) == pytest.approx(by_trapezoids(distance, classes), abs=1e-6)


def test_grows_with_the_distances(distance: Tensor) -> None:
    exact = float(area(distance, CLASSES).mean())
    assert exact > 0
    assert float(area(3 * distance, CLASSES).mean()) == pytest.approx(3 * exact)
    for row in (0, 40, 102, 149):
        farther = distance.clone()
        farther[row] += 0.05
        assert float(area(farther, CLASSES).mean()) >= exact - 1e-12
    assert float(area(distance + 0.01, CLASSES).mean()) > exact


def test_is_bounded_by_accuracy_and_the_radius_at_which_chance_is_left(distance: Tensor) -> None:
    accuracy = float((distance > 0).double().mean())
    end = float(distance.sort().values[-1 - len(distance) // CLASSES])
    found = float(area(distance, CLASSES).mean())
    assert 0 < found <= (accuracy - 1 / CLASSES) * end
    share = float((distance > end).double().mean())
    assert share <= 1 / CLASSES
    assert found == pytest.approx(float(distance.clamp_max(end).mean()) - end / CLASSES)


@pytest.mark.parametrize("right", [0, 9, 10, 11])
def test_is_zero_up_to_chance(right: int) -> None:
    distance = torch.zeros(100)
    distance[:right] = 0.5
    found = float(area(distance, CLASSES).mean())
    assert found == pytest.approx(0.5 * max(right / 100 - 0.1, 0), abs=1e-7)


class Plane(nn.Module):
    """Logits ``(f, -f)`` with ``f = w . x``, whatever the box."""

    def __init__(self, w: Tensor) -> None:
        super().__init__()
        self.w = w

    def forward(self, x: Tensor) -> Tensor:
        f = (x * self.w).flatten(1).sum(1)
        return torch.stack([f, -f], 1)


@pytest.mark.parametrize(
    "settings", [{}, {"steps": 450, "eps": 20.0, "momentum": 0.9, "loss": "cross_entropy"}]
)
def test_of_a_linear_model_follows_from_its_weights(settings: dict[str, float]) -> None:
    """``r_i = max(0, y f(x_i)) / (|w|_2 sqrt(n))``; with two classes better than random is right."""
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(1, 5, 5, generator=generator, dtype=torch.float64)
    x = torch.randn(60, 1, 5, 5, generator=generator, dtype=torch.float64)
    label = torch.arange(60) % 2
    x += (1 - 2 * label).view(-1, 1, 1, 1) * w / w.norm()
    model = Plane(w)
    f = model(x)[:, 0] * (1 - 2 * label)
    r = f.clamp_min(0) / (w.norm() * math.sqrt(25))
    assert 0.6 < float((f > 0).double().mean()) < 1
    found = metrics["ara"](model=model, x=x, label=label, logits=model(x), **settings)
    wanted = by_trapezoids(r, 2)
    for column in ("", "btr"):
        assert float(found[column].mean()) == pytest.approx(wanted, rel=0.01)
    assert found["met"].all()
    assert found["btr_met"].all()


def test_says_which_samples_took_more_than_half_of_the_steps() -> None:
    """A path of 1: three quarters of it are walked in the first half of the steps."""
    model = Plane(torch.ones(1, 2, 2, dtype=torch.float64))
    x = torch.tensor([0.1, 0.7, 0.8, 0.97, 1.2], dtype=torch.float64).view(5, 1, 1, 1).expand(5, 1, 2, 2)
    label = torch.zeros(5, dtype=torch.long)
    found = metrics["ara"](model=model, x=x, label=label, logits=model(x), eps=1.0)
    assert found["met"].tolist() == [1, 1, 0, 0, 0]
    assert found["btr_met"].tolist() == [1, 1, 0, 0, 0]
    reached = metrics["ara"].shared["margin_loop"](
        model=model, x=x, label=label, logits=model(x), steps=100, eps=1.0, momentum=0.0
    )
    torch.testing.assert_close(
        reached[:, 0], torch.tensor([0.1, 0.7, 0.8, 0.97, 1.0], dtype=torch.float64), rtol=0.03, atol=1e-4
    )


@pytest.mark.parametrize(("loss", "loops"), [("cross_entropy", 2), ("margin", 2), ("both", 3)])
def test_images_that_are_wrong_from_the_start_and_losses_that_are_not_climbed_cost_nothing(
    loss: str, loops: int
) -> None:
    """Two of five images are right; with two classes, that is better than random."""
    model = Plane(torch.ones(1, 2, 2))
    x = torch.tensor([0.1, -0.7, 0.8, -0.1, -0.2]).view(5, 1, 1, 1).expand(5, 1, 2, 2)
    label = torch.zeros(5, dtype=torch.long)
    given = {"model": model, "x": x, "label": label, "logits": model(x), "steps": 7, "loss": loss}
    with count_passes(model) as passes:
        found = metrics["ara"](**given)
    assert (passes.forward, passes.backward) == (2 * 8 * loops, 2 * 7 * loops)
    wrong = found["btr"][[1, 3, 4]]
    assert torch.equal(wrong, wrong[0].expand(3))
    none_right = {**given, "x": -x.abs(), "logits": model(-x.abs())}
    with count_passes(model) as passes:
        metrics["ara"](**none_right)
    assert passes.forward == 0


def test_says_where_distances_are_coarse() -> None:
    """The last of five steps is a fifteenth, more than a tenth of the area; that of a hundred is a 5050th."""
    model = Plane(torch.ones(1, 2, 2))
    x = torch.linspace(0.05, 0.4, 8).view(8, 1, 1, 1).expand(8, 1, 2, 2)
    given = {"model": model, "x": x, "label": torch.zeros(8, dtype=torch.long), "logits": model(x)}
    with noted() as notes:
        metrics["ara"](**given)
    assert notes == []
    with pytest.warns(
        XaiboardWarning, match=r"last step of the attack \(0.0667\) is more than 10% of 'ara' \(0.*'ara.btr'"
    ):
        metrics["ara"](**given, steps=5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": 0}, "'steps' of 'ara' must be at least 1"),
        ({"eps": -1.0}, "'eps' of 'ara' must be at least 0"),
        ({"momentum": -0.1}, "'momentum' of 'ara' must be at least 0"),
        ({"momentum": 1.0}, "'momentum' of 'ara' must be below 1; got '1'"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], said: str) -> None:
    model = Plane(torch.ones(1, 2, 2))
    x = torch.ones(1, 1, 2, 2)
    with pytest.raises(SettingError, match=said):
        metrics["ara"](model=model, x=x, label=torch.tensor([0]), logits=model(x), **settings)
