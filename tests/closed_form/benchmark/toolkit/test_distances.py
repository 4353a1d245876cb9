"""Attacks that look for the nearest adversarial input: closed forms, and a slow search in the plane."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark.toolkit.minimal_attacks import Found, ddn, l2_loop, rmse, shorten, step_length
from xaiboard.benchmark.toolkit.pgd import Loss, log_odds, margin

LOSSES = pytest.mark.parametrize("loss", [log_odds, margin])


class Binary(nn.Module):
    """Logits ``(f, -f)`` with ``f = w . x + b``."""

    def __init__(self, w: Tensor, b: float) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(w), b

    def f(self, x: Tensor) -> Tensor:
        return (x * self.w).flatten(1).sum(1) + self.b

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.f(x), -self.f(x)], 1)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def binary() -> Binary:
    w = draw(3, 4, 5, seed=1)
    return Binary(w, -0.5 * float(w.sum()))


@pytest.fixture
def x(binary: Binary) -> Tensor:
    """Up to .6 from the plane, and far from the ends of the range, so that the box is in no one's way."""
    away = torch.linspace(-0.6, 0.6, 24, dtype=torch.float64).view(-1, 1, 1, 1)
    return 0.5 + 0.02 * draw(24, 3, 4, 5) + away * (binary.w / binary.w.norm()).detach()


def to_boundary(model: Binary, x: Tensor, label: Tensor) -> Tensor:
    """Distance of right samples to the plane ``f = 0``, and 0 for wrong ones."""
    sign = 1 - 2 * label.double()
    return ((sign * model.f(x)).clamp_min(0) / model.w.norm()).detach()


@LOSSES
def test_ddn_reaches_the_plane_of_a_linear_model(x: Tensor, binary: Binary, loss: Loss) -> None:
    label = (binary.f(x) < 0).long()
    label[:3] = 1 - label[:3]
    wanted = to_boundary(binary, x, label)
    assert (wanted[3:] > 0).all()
    assert not wanted[:3].any()
    change, step = ddn(binary, x, label, steps=300, loss=loss)
    length = change.flatten(1).norm(dim=1)
    assert (length >= wanted - 1e-9).all()
    assert (length <= 1.01 * wanted + 1e-3).all()
    assert not length[:3].any()
    assert not step[:3].any()
    assert (step[3:] > 0).all()
    assert (step <= 300).all()
    wrong = binary(x + change).argmax(1) != label
    assert wrong.all()
    shorter = shorten(binary, x, label, change)
    assert (binary(x + shorter).argmax(1) != label).all()
    torch.testing.assert_close(shorter.flatten(1).norm(dim=1), wanted, rtol=2e-3, atol=1e-6)


def test_ddn_stays_in_the_box() -> None:
    """Ends of the range are near, and the plane is not reached along the gradient: corners have to be cut."""
    x = (0.5 + 2 * draw(16, 1, 3, 3)).clamp(0, 1)
    w = draw(1, 3, 3, seed=1)
    model = Binary(w, -0.5 * float(w.sum()))
    label = (model.f(x) < 0).long()
    change, step = ddn(model, x, label, steps=200)
    found = step <= 200
    assert found.sum() >= 12
    assert ((x + change >= 0) & (x + change <= 1)).all()
    assert torch.equal(model(x + change).argmax(1) != label, found)
    free = to_boundary(model, x, label)
    assert (change.flatten(1).norm(dim=1)[found] > 1.01 * free[found]).any()


@pytest.mark.parametrize("reach", [0.45, 0.55])
def test_ddn_says_where_nothing_was_found(reach: float) -> None:
    """From the middle of the box a plane at L1 distance ``reach * n`` can be reached if ``reach`` is below 1/2."""
    model = Binary(-torch.ones(1, 2, 2, dtype=torch.float64), 4 * (0.5 + reach))
    x = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64)
    label = torch.tensor([0])
    change, step = ddn(model, x, label, steps=200)
    if reach < 0.5:
        assert step[0] <= 200
        assert float(shorten(model, x, label, change).norm()) == pytest.approx(2 * reach, rel=1e-3)
    else:
        assert step[0] == 201
        torch.testing.assert_close(x + change, torch.ones_like(x))
        assert torch.equal(shorten(model, x, label, change), change)


class Curved(nn.Module):
    """Three classes in the plane with curved borders."""

    def forward(self, x: Tensor) -> Tensor:
        u, v = x.flatten(1).unbind(1)
        return torch.stack([(6 * u).sin() + v, (5 * v).cos() - u * v, 1.5 * u - (4 * u * v).sin()], 1)


def nearest_by_search(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    """The nearest wrong point of a fine grid over the box, for each sample."""
    line = torch.linspace(0, 1, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line).view(-1, 1, 1, 2)
    with torch.no_grad():
        predicted = model(grid).argmax(1)
    points = grid.flatten(1)
    return torch.stack(
        [
            (points[predicted != own] - image.flatten()).norm(dim=1).min()
            for image, own in zip(x, label, strict=True)
        ]
    )


def test_ddn_against_a_search_of_the_plane() -> None:
    model = Curved()
    x = torch.rand(60, 1, 1, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    label = model(x).argmax(1)
    assert len(label.unique()) == 3
    wanted = nearest_by_search(model, x, label)
    lengths = []
    for loss in (log_odds, margin):
        run = ddn(model, x, label, steps=300, start=0.3, loss=loss)
        length = shorten(model, x, label, run.change).flatten(1).norm(dim=1)
        lengths.append(length.masked_fill(run.step > 300, math.inf))
    nearest = torch.minimum(*lengths)
    assert (nearest >= wanted - 3e-3).all()  # half the diagonal of the grid's cells is .0018
    close = [float((length <= 1.02 * wanted).double().mean()) for length in (nearest, *lengths)]
    assert close[0] >= 0.8  # a local search misses some far turns
    assert close[0] > max(close[1:])  # and two find more than one


@pytest.mark.parametrize("rule", ["l2min", "btr"])
@LOSSES
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_loop_reaches_the_plane_of_a_linear_model(
    x: Tensor, binary: Binary, rule: str, loss: Loss, momentum: float
) -> None:
    """Two classes: better than random and right are the same. Units are RMSE."""
    label = (binary.f(x) < 0).long()
    label[:3] = 1 - label[:3]
    wanted = to_boundary(binary, x, label) / math.sqrt(x[0].numel())
    assert wanted.max() > 0.02
    found = l2_loop(binary, x, label, rule=rule, path=2.0, steps=300, momentum=momentum, loss=loss)  # type: ignore[arg-type]
    size = rmse(found.change)
    assert (size >= wanted - 1e-9).all()
    torch.testing.assert_close(size.mean(), wanted.mean(), rtol=0.01, atol=0)
    assert not size[:3].any()
    assert (binary(x + found.change).argmax(1) != label).all()


def test_the_loop_leaves_the_box() -> None:
    model = Binary(torch.ones(1, 2, 2, dtype=torch.float64), -8.0)
    x = torch.full((1, 1, 2, 2), 0.9, dtype=torch.float64)
    found = l2_loop(model, x, torch.tensor([1]), rule="l2min", path=3.0, steps=200)
    torch.testing.assert_close(found.change, torch.full_like(x, 1.1), rtol=0.01, atol=0)
    assert ddn(model, x, torch.tensor([1]), steps=200).step[0] == 201


def test_the_l2_rule_walks_to_the_sphere_and_stays(x: Tensor, binary: Binary) -> None:
    label = (binary.f(x) < 0).long()
    found = l2_loop(binary, x, label, rule="l2", path=0.5, steps=200, radius=0.1)
    last = step_length(199, 200, 0.5)
    torch.testing.assert_close(
        rmse(found.change), torch.full((24,), 0.1, dtype=torch.float64), rtol=0, atol=2 * last
    )
    along = (found.change * binary.w).flatten(1).sum(1) * (2 * label - 1)
    torch.testing.assert_close(
        along, found.change.flatten(1).norm(dim=1) * binary.w.norm(), rtol=1e-6, atol=0
    )


def test_a_loop_that_never_gets_there_ends_where_it_gave_up(x: Tensor, binary: Binary) -> None:
    label = (binary.f(x) < 0).long()
    found = l2_loop(binary, x, label, rule="l2min", path=1e-6, steps=10)
    far = to_boundary(binary, x, label) > 1e-3
    assert far.sum() > 20
    assert (found.step[far] == 11).all()
    torch.testing.assert_close(
        rmse(found.change)[far], torch.full((int(far.sum()),), 1e-6, dtype=torch.float64), rtol=1e-4, atol=0
    )


@pytest.mark.parametrize("steps", [1, 7, 450])
def test_steps_add_up_to_the_path_and_get_shorter_evenly(steps: int) -> None:
    lengths = [step_length(step, steps, 20.0) for step in range(steps)]
    assert sum(lengths) == pytest.approx(20.0)
    gaps = [one - two for one, two in zip(lengths, [*lengths[1:], 0.0], strict=True)]
    assert gaps == pytest.approx([lengths[-1]] * steps)
    if steps == 450:  # the paper's first and last
        assert lengths[0] == pytest.approx(0.0887, abs=5e-5)
        assert lengths[-1] == pytest.approx(1.97e-4, abs=5e-7)


Attack = Callable[[nn.Module, Tensor, Tensor], Found]
ATTACKS: dict[str, Attack] = {
    "ddn": lambda model, x, label: ddn(model, x, label, steps=30),
    "ddn margin": lambda model, x, label: ddn(model, x, label, steps=30, loss=margin),
    "l2min": lambda model, x, label: l2_loop(model, x, label, rule="l2min", path=0.5, steps=30, momentum=0.5),
    "btr": lambda model, x, label: l2_loop(model, x, label, rule="btr", path=0.5, steps=30),
    "l2": lambda model, x, label: l2_loop(model, x, label, rule="l2", path=0.5, steps=30, radius=0.1),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_found_does_not_depend_on_the_batch_and_nothing_else_changes(name: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(36, 5),
        )
    net = net.double().eval()
    x = draw(12, 1, 9, 9).sigmoid()
    label = net(x).argmax(1)
    label[:2] = (label[:2] + 1) % 5
    before, state = x.clone(), torch.get_rng_state()
    together = ATTACKS[name](net, x, label)
    for size in (1, 5):
        parts = [ATTACKS[name](net, *part) for part in zip(x.split(size), label.split(size), strict=True)]
        torch.testing.assert_close(
            torch.cat([part.change for part in parts]), together.change, atol=1e-9, rtol=0
        )
        assert torch.equal(torch.cat([part.step for part in parts]), together.step)
    assert together.change[2:].flatten(1).norm(dim=1).min() > 0
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in net.parameters())
    assert not together.change.requires_grad


@pytest.mark.parametrize("name", ATTACKS)
def test_a_model_without_slope_is_left_where_it_is(name: str) -> None:
    model = Binary(torch.zeros(1, 2, 2, dtype=torch.float64), 1.0)
    change, step = ATTACKS[name](
        model, torch.full((2, 1, 2, 2), 0.5, dtype=torch.float64), torch.tensor([0, 0])
    )
    assert torch.equal(change, torch.zeros_like(change))
    assert (step == 31).all()
