from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn.functional import cross_entropy
from xaiboard.benchmark.attacks import pgd_l2, pgd_linf
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
