from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import cross_entropy
from xaiboard.benchmark.toolkit.pgd import in_l2_ball, log_odds, margin, pgd_l2, pgd_linf
from xaiboard.models.architectures import cnn

Attack = Callable[..., torch.Tensor]

EPS = 0.2


@pytest.fixture
def model() -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return cnn((1, 12, 12), 5)


@pytest.fixture
def x() -> torch.Tensor:
    """Many pixels at the ends of the range."""
    return (torch.rand(16, 1, 12, 12, generator=torch.Generator().manual_seed(0)) * 2 - 0.5).clamp(0, 1)


LABEL = torch.arange(16) % 5


@pytest.mark.parametrize("attack", [pgd_linf, pgd_l2])
@pytest.mark.parametrize("steps", [0, 1, 10])
def test_stays_in_the_ball_and_in_the_range(
    attack: Attack, steps: int, model: torch.nn.Module, x: torch.Tensor
) -> None:
    attacked = attack(
        model, x, LABEL, eps=EPS, step=EPS, steps=steps, generator=torch.Generator().manual_seed(0)
    )
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    order = float("inf") if attack is pgd_linf else 2
    distance = (attacked - x).flatten(1).norm(order, dim=1)
    assert (distance <= EPS + 1e-6).all()
    assert (distance > 0).all()
    assert not attacked.requires_grad


@pytest.mark.parametrize("attack", [pgd_linf, pgd_l2])
def test_raises_the_loss_beyond_the_random_start(
    attack: Attack, model: torch.nn.Module, x: torch.Tensor
) -> None:
    def loss(steps: int) -> float:
        attacked = attack(
            model, x, LABEL, eps=EPS, step=EPS / 4, steps=steps, generator=torch.Generator().manual_seed(0)
        )
        return cross_entropy(model(attacked), LABEL).item()

    assert loss(20) > loss(5) > loss(0)


@pytest.mark.parametrize("attack", [pgd_linf, pgd_l2])
def test_the_seed_decides_and_nothing_else_is_touched(
    attack: Attack, model: torch.nn.Module, x: torch.Tensor
) -> None:
    before, state = x.clone(), torch.get_rng_state()
    first, again, other = (
        attack(model, x, LABEL, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_against_a_linear_model_one_step_reaches_the_worst_corner() -> None:
    """Two classes: the loss rises along ``sign(w_1 - w_0)``, whatever the start."""
    head = torch.nn.Linear(9, 2, bias=False)
    model = torch.nn.Sequential(torch.nn.Flatten(), head)
    x = torch.full((1, 1, 3, 3), 0.5)
    label = torch.tensor([0])
    worst = x + EPS * (head.weight[1] - head.weight[0]).sign().view_as(x)
    attacked = pgd_linf(model, x, label, eps=EPS, step=2 * EPS, steps=1)
    assert torch.allclose(attacked, worst)


def test_a_confident_network_is_attacked_with_steps_of_full_length() -> None:
    """A gap of 60 between the logits: the squares of the gradient's entries are 0 in float32."""
    head = torch.nn.Linear(9, 2, bias=False)
    head.weight.data = torch.tensor([[40.0 / 3], [-40.0 / 3]]).expand(2, 9)
    model = torch.nn.Sequential(torch.nn.Flatten(), head)
    x, label = torch.full((1, 1, 3, 3), 0.25), torch.tensor([0])
    assert float(model(x).diff().detach()) == pytest.approx(-60)
    attacked = pgd_l2(model, x, label, eps=EPS, step=2 * EPS, steps=20)
    assert torch.allclose(attacked, x - EPS / 3, atol=1e-4)


@pytest.mark.parametrize("attack", [pgd_linf, pgd_l2])
def test_starts_where_it_is_told_to(attack: Attack, model: torch.nn.Module, x: torch.Tensor) -> None:
    start = torch.full_like(x, EPS / 20)
    attacked = attack(model, x, LABEL, eps=EPS, step=EPS, steps=0, start=start)
    torch.testing.assert_close(attacked, (x + start).clamp(0, 1))
    state = torch.get_rng_state()
    alone = torch.cat(
        [
            attack(model, image, label, eps=EPS, step=EPS / 4, steps=5, start=torch.zeros_like(image))
            for image, label in zip(x.split(1), LABEL.split(1), strict=True)
        ]
    )
    together = attack(model, x, LABEL, eps=EPS, step=EPS / 4, steps=5, start=torch.zeros_like(x))
    torch.testing.assert_close(alone, together, atol=1e-4, rtol=0)
    assert torch.equal(torch.get_rng_state(), state)


def test_log_odds_climb_where_cross_entropy_does(model: torch.nn.Module, x: torch.Tensor) -> None:
    """Gradients are parallel, longer by ``1 / (1 - p)``."""
    leaf = x.requires_grad_()
    logits = 5 * model(leaf)
    (plain,) = torch.autograd.grad(cross_entropy(logits, LABEL, reduction="sum"), leaf, retain_graph=True)
    (odds,) = torch.autograd.grad(log_odds(logits, LABEL).sum(), leaf)
    p = logits.softmax(1).gather(1, LABEL[:, None])[:, 0].detach()
    torch.testing.assert_close(odds * (1 - p).view(-1, 1, 1, 1), plain, rtol=1e-4, atol=1e-6)


def test_log_odds_are_known_where_the_softmax_underflows() -> None:
    logits = torch.tensor([[0.0, -200.0, -300.0]], requires_grad=True)
    label = torch.tensor([0])
    (plain,) = torch.autograd.grad(cross_entropy(logits, label), logits)
    (odds,) = torch.autograd.grad(log_odds(logits, label).sum(), logits)
    assert not plain.any()
    torch.testing.assert_close(odds, torch.tensor([[-1.0, 1.0, 0.0]]))


def test_losses_say_whether_the_prediction_is_wrong() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]])
    label = torch.tensor([1, 2])
    torch.testing.assert_close(margin(logits, label), torch.tensor([-1.0, 1.0]))
    p = logits.softmax(1).gather(1, label[:, None])[:, 0]
    torch.testing.assert_close(log_odds(logits, label), ((1 - p) / p).log())


def test_changes_are_spread_evenly_over_the_ball() -> None:
    """In two dimensions half of the disc lies within ``sqrt(1/2)`` of the radius."""
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(20000, 2, generator=generator)
    length = in_l2_ball(direction, torch.rand(20000, generator=generator), 3.0).norm(dim=1)
    assert length.max() <= 3 + 1e-5
    assert float((length < 3 * 0.5**0.5).double().mean()) == pytest.approx(0.5, abs=0.015)
