"""One-layer networks: closed forms of worst case, expected update, integrated gradients and stable explanations.

Theorems of Chalasani et al. 2020, arXiv:1810.06583, for two classes and a loss ``g(-y (w x + b))`` with y = -1 or 1 and
convex g. The cross-entropy is such a loss, with ``g = softplus``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus
from xaiboard.benchmark.methods.integrated_gradients import integrated_gradients
from xaiboard.benchmark.toolkit.pgd import pgd_linf
from xaiboard.metrics.gini import gini
from xaiboard.models.architectures import linear
from xaiboard.models.training.objectives import Objective, adversarial_linf, ig_norm, natural
from xaiboard.models.training.objectives.attribution import loss_ig

EPS = 0.1
SHAPE = (1, 4, 4)
Loss = Callable[[Tensor], Tensor]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def uniform(*shape: int, seed: int = 0) -> Tensor:
    """Random numbers between -1 and 1, float64."""
    return torch.rand(shape, generator=generator(seed), dtype=torch.float64) * 2 - 1


def two_classes(w: Tensor, b: float) -> nn.Sequential:
    """The package's one-layer network with ``f_1 - f_0 = w x + b``; neither row of its weights is 0."""
    network = linear(SHAPE, 2).double()
    other = uniform(16, seed=9)
    network[-1].load_state_dict(
        {"weight": torch.stack((other, other + w)), "bias": torch.tensor([1.0, 1 + b], dtype=torch.float64)}
    )
    return network


W = 3 * uniform(16, seed=1)
B = 0.3 - W.sum().item() / 2  # the score of a grey image is 0.3
X = 0.5 + 0.3 * uniform(40, *SHAPE, seed=2)
LABEL = torch.arange(40) % 2
Y = (2 * LABEL - 1).double()
WORST = -EPS * Y[:, None] * W.sign()
"""The change in the L-inf ball that raises the loss most, if no pixel leaves ``[0, 1]``; ``(40, 16)``."""


def z(x: Tensor) -> Tensor:
    """The argument of g, ``-y (w x + b)``, for inputs ``(B, ...)``."""
    return -Y * (x.flatten(1) @ W + B)


# --- The worst case ---


def test_the_attack_reaches_the_worst_case() -> None:
    network = two_classes(W, B)
    attacked = pgd_linf(network, X, LABEL, eps=EPS, step=EPS, steps=2, generator=generator())
    assert torch.allclose(attacked, X + WORST.view_as(X), rtol=0, atol=1e-12)
    losses = cross_entropy(network(attacked), LABEL, reduction="none")
    assert torch.allclose(losses, softplus(z(X) + EPS * W.abs().sum()), rtol=1e-10)


def test_at_the_ends_of_the_range_the_worst_case_is_clipped() -> None:
    x = (0.5 + uniform(40, *SHAPE, seed=3)).clamp(0, 1)
    assert 0.3 < ((x == 0) | (x == 1)).double().mean() < 0.7
    attacked = pgd_linf(two_classes(W, B), x, LABEL, eps=EPS, step=EPS, steps=2, generator=generator())
    assert torch.allclose(attacked, (x + WORST.view_as(x)).clamp(0, 1), rtol=0, atol=1e-12)


@torch.no_grad()
def test_nothing_in_the_ball_is_worse() -> None:
    network, worst = two_classes(W, B), softplus(z(X) + EPS * W.abs().sum())
    for seed in range(100, 150):
        change = EPS * uniform(*X.shape, seed=seed)
        for moved in (X + change, X + EPS * change.sign()):
            assert (cross_entropy(network(moved), LABEL, reduction="none") < worst).all()


# --- The expected update: E[y x_i] = a_i, features independent given y ---

A = torch.tensor([0.5, 0.2, 0.05, 0.0, -0.1, 0.3], dtype=torch.float64)
NOISE = torch.tensor(list(product((-1.0, 1.0), repeat=6)), dtype=torch.float64)
SIGN = torch.cat((torch.ones(64), -torch.ones(64))).double()
FEATURES = SIGN[:, None] * A + torch.cat((NOISE, NOISE))
"""Features ``y a_i + n_i`` for every combination of n_i = -1 or 1, equally likely: means are exact expectations."""
RADIUS = 0.15
"""L-inf radius of the attack on the features."""
SMALL, LARGE = 1e-7 * torch.tensor([1, -1, 1, -1, 1, -1.0]), torch.tensor([0.4, -0.3, 0.2, 0.5, -0.2, 0.3])


class Centred(nn.Module):
    """Maps images to features, so that the images lie in ``[0, 1]`` though the features do not."""

    def forward(self, x: Tensor) -> Tensor:
        return 10 * (x.flatten(1) - 0.5)


def update(w: Tensor, eps: float) -> Tensor:
    """Minus the gradient with respect to w of the mean cross-entropy on attacked images, ``(6,)``."""
    head = nn.Linear(6, 2).double()
    head.load_state_dict({"weight": torch.stack((torch.zeros(6), w)), "bias": torch.zeros(2)})
    network, label = nn.Sequential(Centred(), head), (SIGN > 0).long()
    x, reach = (0.5 + FEATURES / 10).view(-1, 1, 2, 3), eps / 10
    attacked = pgd_linf(network, x, label, eps=reach, step=reach, steps=1, start=torch.zeros_like(x))
    (gradient,) = torch.autograd.grad(cross_entropy(network(attacked), label), head.weight)
    return -gradient[1]


def slope(w: Tensor, eps: float) -> Tensor:
    """``g'`` of the cross-entropy at the worst case of each combination of features, ``(128,)``."""
    return (-SIGN * (FEATURES @ w) + eps * w.abs().sum()).sigmoid()


def bound(w: Tensor, eps: float) -> Tensor:
    """``E[g'] (a_i sign(w_i) - eps)``: the magnitude of no weight grows faster."""
    return slope(w, eps).mean() * (A * w.sign() - eps)


@pytest.mark.parametrize("w", [SMALL.double(), LARGE.double()], ids=["small", "large"])
@pytest.mark.parametrize("eps", [0.0, RADIUS])
def test_the_update_is_the_expectation_at_the_worst_case(w: Tensor, eps: float) -> None:
    expected = slope(w, eps) @ (SIGN[:, None] * FEATURES - eps * w.sign()) / 128
    assert torch.allclose(update(w, eps), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("eps", [0.0, RADIUS])
def test_a_weight_of_zero_moves_by_its_strength(eps: float) -> None:
    for i in range(6):
        w = LARGE.double().index_fill(0, torch.tensor([i]), 0)
        assert update(w, eps)[i].item() == pytest.approx(float(slope(w, eps).mean() * A[i]), abs=1e-12)


@pytest.mark.parametrize("eps", [0.0, RADIUS])
def test_small_weights_move_by_the_bound(eps: float) -> None:
    """Under attack, weights of features weaker than eps shrink; those of the wrong sign shrink fastest."""
    w = SMALL.double()
    growth = w.sign() * update(w, eps)
    assert torch.allclose(growth, bound(w, eps), rtol=0, atol=1e-6)
    assert ((growth < 0) == (A * w.sign() < eps)).logical_or(A == 0).all()


@pytest.mark.parametrize("eps", [0.0, RADIUS])
def test_no_weights_grow_faster_than_the_bound(eps: float) -> None:
    w = LARGE.double()
    assert (w.sign() * update(w, eps) < bound(w, eps) - 0.01).all()
    for seed in range(100):
        w = 3 * uniform(6, seed=seed)
        assert (w.sign() * update(w, eps) <= bound(w, eps) + 1e-12).all()


def test_a_loss_that_is_not_convex_exceeds_the_bound() -> None:
    """``g = sigmoid``: points that are confidently wrong count less in the update, not more."""
    w = -2 * torch.ones(6, dtype=torch.float64)
    at = (-SIGN * (FEATURES @ w) + RADIUS * w.abs().sum()).sigmoid()
    steepness = at * (1 - at)
    growth = w.sign() * (steepness @ (SIGN[:, None] * FEATURES - RADIUS * w.sign())) / 128
    assert (growth > steepness.mean() * (A * w.sign() - RADIUS) + 0.005).all()


# --- Integrated gradients ---

ROUNDING = 1e-6
"""Tolerance: captum keeps the weights of its quadrature in float32."""
ACTIVATIONS = [nn.Identity(), nn.Sigmoid(), nn.Tanh(), nn.Softplus()]


class Shaped(nn.Module):
    """``activation(w x + b)``, one output."""

    def __init__(self, activation: nn.Module, w: Tensor, b: float) -> None:
        super().__init__()
        self.activation, self.w, self.b = activation, w, b

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(x.flatten(1) @ self.w + self.b)[:, None]


def closed_form(value: Loss, x: Tensor, baseline: float, w: Tensor) -> Tensor:
    """``(F(x) - F(u)) (x_i - u_i) w_i / (w (x - u))``, ``(B, 16)``."""
    path = (x - baseline).flatten(1)
    rise = value(x) - value(torch.full_like(x, baseline))
    return rise[:, None] * path * w / (path @ w)[:, None]


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda layer: type(layer).__name__)
@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_integrated_gradients_equal_the_closed_form(activation: nn.Module, baseline: float) -> None:
    model = Shaped(activation, W, B)
    attribution = integrated_gradients(model, X, torch.zeros_like(LABEL), baseline=baseline)
    expected = closed_form(lambda x: model(x)[:, 0], X, baseline, W)
    assert torch.allclose(attribution.flatten(1), expected, rtol=0, atol=ROUNDING)


def test_integrated_gradients_of_logits_are_weights_times_the_way() -> None:
    network = two_classes(W, B)
    weight = next(network.parameters()).detach()
    attribution = integrated_gradients(network, X, LABEL, baseline=0.2).flatten(1)
    assert torch.allclose(attribution, (X - 0.2).flatten(1) * weight[LABEL], rtol=0, atol=ROUNDING)


def test_integrated_gradients_along_a_way_on_which_the_score_is_constant() -> None:
    """Where ``w (x - u) = 0`` the closed form becomes ``g'(w u + b) w_i (x_i - u_i)``."""
    path = (X - 0.5).flatten(1)
    path = path - (path @ W / W.dot(W))[:, None] * W
    attribution = integrated_gradients(
        Shaped(nn.Sigmoid(), W, B), 0.5 + path.view_as(X), torch.zeros_like(LABEL), baseline=0.5
    )
    at = (0.5 * W.sum() + B).sigmoid()
    assert torch.allclose(attribution.flatten(1), at * (1 - at) * path * W, rtol=0, atol=ROUNDING)


def test_concentration_depends_on_weights_and_inputs_alone() -> None:
    """Neither on the activation nor on the bias: attributions of an image differ by a factor."""
    target = torch.zeros_like(LABEL)
    concentration = [
        gini(integrated_gradients(Shaped(activation, W, b), X, target))
        for activation in ACTIVATIONS
        for b in (-1.0, 0.3)
    ]
    assert all(torch.allclose(value, concentration[0], rtol=0, atol=1e-8) for value in concentration)
    other = gini(integrated_gradients(Shaped(nn.Identity(), W.abs().sqrt(), B), X, target))
    assert (other < concentration[0] - 0.05).all()


# --- Stable integrated gradients are adversarial training ---


def stable(loss: Loss, change: Tensor) -> Tensor:
    """``L(x) + |IG|_1``, where IG are the integrated gradients of the loss from x to ``x + change``, ``(B,)``."""
    before, after = loss(z(X)), loss(z(X + change.view_as(X)))
    parts = change.flatten(1) * W
    return before + (after - before).abs() * parts.abs().sum(1) / parts.sum(1).abs()


def largest_excess(loss: Loss) -> Tensor:
    """The largest excess of the stable objective over the worst loss, among many changes in the ball, ``(B,)``."""
    worst = loss(z(X) + EPS * W.abs().sum())
    changes = [EPS * uniform(*X.shape, seed=seed) for seed in range(200)]
    changes += [EPS * change.sign() for change in changes]
    return torch.stack([stable(loss, change) for change in changes]).amax(0) - worst


@pytest.mark.parametrize("loss", [softplus, lambda value: (1 + value).relu()], ids=["logistic", "hinge"])
def test_the_stable_objective_is_the_adversarial_one(loss: Loss) -> None:
    """The stable objective exceeds the worst loss nowhere in the ball, and equals it at the worst case."""
    assert largest_excess(loss).max() <= 1e-10
    worst = loss(z(X) + EPS * W.abs().sum())
    assert torch.allclose(stable(loss, WORST), worst, rtol=0, atol=1e-12)


def test_for_a_loss_that_is_not_convex_they_differ() -> None:
    assert largest_excess(torch.sigmoid).max() > 0.01


def test_integrated_gradients_of_the_loss_equal_the_closed_form() -> None:
    """The mean over 1000 points exceeds the integral by half a step times the rise of g', to first order."""
    network, change = two_classes(W, B), EPS * uniform(*X.shape, seed=5)
    attribution = loss_ig(network, X, X + change, LABEL, points=1000).flatten(1).detach()
    parts = -Y[:, None] * change.flatten(1) * W
    integral = (softplus(z(X + change)) - softplus(z(X))) / parts.sum(1)
    half_step = (z(X + change).sigmoid() - z(X).sigmoid()) / 2000
    assert torch.allclose(attribution, (integral + half_step)[:, None] * parts, rtol=0, atol=1e-8)
    assert not torch.allclose(attribution, integral[:, None] * parts, rtol=0, atol=1e-8)


def value_and_gradient(objective: Objective, network: nn.Module) -> tuple[float, Tensor]:
    value = objective(network, X, LABEL, generator())[0]
    return value.item(), torch.autograd.grad(value, next(network.parameters()))[0]


def at_the_worst_case(
    model: nn.Module, x: Tensor, label: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The objective :func:`ig_norm` if its attack finds the worst case, with an integral of 2000 points."""
    del generator
    norm = loss_ig(model, x, x + WORST.view_as(x), label, points=2000).abs().sum() / len(x)
    return cross_entropy(model(x), label) + norm, model(x)


def test_both_objectives_have_the_same_value_and_gradient() -> None:
    network = two_classes(W, B)
    adversarial = value_and_gradient(adversarial_linf(eps=EPS, step=EPS, steps=3), network)
    concise = value_and_gradient(at_the_worst_case, network)
    assert concise[0] == pytest.approx(adversarial[0], rel=1e-3)
    assert (concise[1] - adversarial[1]).norm() < 1e-3 * adversarial[1].norm()
    plain = value_and_gradient(natural(), network)
    assert plain[0] < 0.7 * adversarial[0]
    assert (plain[1] - adversarial[1]).norm() > 0.2 * adversarial[1].norm()


@pytest.mark.parametrize("factor", [0.2, 1, 10])
def test_the_attack_on_attributions_comes_close_to_the_worst_case(factor: float) -> None:
    """It climbs from a random start, and may end in another corner of the ball: the norm has maxima in many of them."""
    network = two_classes(factor * W, factor * B)
    plain = value_and_gradient(natural(), network)[0]
    adversarial = value_and_gradient(adversarial_linf(eps=EPS, step=EPS, steps=3), network)[0]
    objective = ig_norm(eps=EPS, step=EPS, steps=3, points=200, attack_points=3, weight=1.0)
    found = value_and_gradient(objective, network)[0]
    from_quadrature = (
        EPS * factor * W.abs().sum().item() / 400
    )  # half a step of 200 points, times the rise of g'
    assert 0.75 * (adversarial - plain) <= found - plain <= adversarial - plain + from_quadrature
