"""Objectives against closed forms and slow implementations."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from xaiboard.benchmark.errors import XaiboardError
from xaiboard.benchmark.toolkit.minimal_attacks import l2_loop
from xaiboard.benchmark.toolkit.pgd import pgd_l2, pgd_linf
from xaiboard.models.architectures import half_huber_cnn, linear
from xaiboard.models.training import objectives
from xaiboard.models.training.hkr import SoftHKR, binary_hkr, one_vs_all_hkr
from xaiboard.models.training.objectives import Objective
from xaiboard.models.training.objectives.attribution import loss_ig
from xaiboard.models.training.objectives.climb import climb_linf
from xaiboard.models.training.objectives.lipschitz_penalty import AdaptiveWeight

Make = Callable[..., Objective]

EPS = 0.1
SHAPE = (1, 8, 8)
EVERY: dict[str, Make] = {
    name: getattr(objectives, name) for name in objectives.__all__ if name != "Objective"
}
WITHOUT_CHANCE = ["natural", "l1", "tempered", "transport", "transport_binary", "transport_one_vs_all"]
WITH_CHANCE = sorted(set(EVERY) - set(WITHOUT_CHANCE))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(number: int, *, seed: int = 0, classes: int = 2) -> tuple[Tensor, Tensor]:
    """Random images whose pixels no attack can move to 0 or 1, float64, and their labels."""
    x = torch.rand(number, *SHAPE, generator=generator(seed), dtype=torch.float64)
    return 0.3 + 0.4 * x, torch.arange(number) % classes


UNBALANCED = (torch.arange(12) % 3 == 0).long()
"""Labels of unequal frequency: in balanced batches transport does not depend on the bias of the last layer."""


def smooth(classes: int = 2) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return half_huber_cnn(SHAPE, classes).double()


def one_layer(weight: Tensor, bias: Tensor) -> nn.Sequential:
    network = linear(SHAPE, len(weight)).double()
    network[-1].load_state_dict({"weight": weight, "bias": bias})
    return network


def two_rows(factor: float = 1.0) -> nn.Sequential:
    weight = factor * torch.randn(2, 64, generator=generator(5), dtype=torch.float64)
    return one_layer(weight, -0.5 * weight.sum(1))


def step(
    objective: Objective, network: nn.Module, x: Tensor, label: Tensor, seed: int = 0
) -> tuple[Tensor, list[Tensor]]:
    """The loss and its gradients."""
    loss, _ = objective(network, x, label, generator(seed))
    return loss.detach(), list(torch.autograd.grad(loss, [*network.parameters()]))


def close(first: list[Tensor], second: list[Tensor], tolerance: float = 1e-12) -> bool:
    return all(
        torch.allclose(one, other, rtol=0, atol=tolerance) for one, other in zip(first, second, strict=True)
    )


# --- Every objective ---


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_returns_a_loss_and_logits_and_leaves_everything_else_alone(make: Make) -> None:
    network, (x, label) = smooth(), images(6)
    before = x.clone(), [parameter.clone() for parameter in network.parameters()], torch.get_rng_state()
    loss, logits = make()(network, x, label, generator())
    assert loss.shape == ()
    assert logits.shape == (6, 2)
    assert torch.equal(x, before[0])
    assert not x.requires_grad
    assert all(torch.equal(new, old) for new, old in zip(network.parameters(), before[1], strict=True))
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), before[2])


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_every_parameter_receives_a_finite_gradient(make: Make) -> None:
    _, gradients = step(make(), smooth(), images(12)[0], UNBALANCED)
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert all(gradient.abs().max() > 0 for gradient in gradients)


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_a_step_along_the_gradient_lowers_the_loss(make: Make) -> None:
    """With the same random numbers. The step is small, because the image that a sign attack ends at can jump."""
    network, x, label = smooth(), images(12)[0], UNBALANCED
    objective = make()
    before, gradients = step(objective, network, x, label)
    square = sum(gradient.square().sum() for gradient in gradients)
    objective = make()
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter.sub_(1e-8 / square * gradient)
    after, _ = step(objective, network, x, label)
    assert (before - after).item() == pytest.approx(1e-8, rel=0.01)


@pytest.mark.parametrize("name", WITHOUT_CHANCE)
def test_the_order_of_the_batch_and_the_generator_do_not_matter(name: str) -> None:
    network, (x, label), order = smooth(), images(12), torch.randperm(12, generator=generator(1))
    loss, gradients = step(EVERY[name](), network, x, label)
    other, others = step(EVERY[name](), network, x[order], label[order], seed=1)
    assert other.item() == pytest.approx(loss.item(), abs=1e-12)
    assert close(gradients, others)


@pytest.mark.parametrize("name", ["adversarial_linf", "adversarial_l2"])
def test_the_order_does_not_matter_where_the_attack_always_ends_in_the_same_place(name: str) -> None:
    network, (x, label), order = two_rows(), images(12), torch.randperm(12, generator=generator(1))
    objective = EVERY[name](eps=EPS, step=EPS, steps=60)
    loss, gradients = step(objective, network, x, label)
    other, others = step(objective, network, x[order], label[order], seed=1)
    assert other.item() == pytest.approx(loss.item(), abs=1e-8)
    assert close(gradients, others, 1e-8)


@pytest.mark.parametrize("name", WITH_CHANCE)
def test_the_generator_decides(name: str) -> None:
    network, (x, label) = smooth(), images(12)
    first, again, other = (step(EVERY[name](), network, x, label, seed)[0] for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize(("name", "factor"), [("transport", 1.0), ("lipschitz_penalty", 0.02)])
def test_what_it_remembers_survives_saving(name: str, factor: float) -> None:
    """Logits above the margin, and a loss below the target, so that running mean and weight leave their start."""
    weight = factor * torch.randn(3, 64, generator=generator())
    network, (x, label) = one_layer(weight, torch.zeros(3)).float(), images(12, classes=3)
    seen, fresh, restored = EVERY[name](), EVERY[name](), EVERY[name]()
    assert isinstance(seen, nn.Module)
    assert isinstance(restored, nn.Module)
    x = x.float()
    for _ in range(40):
        seen(network, x, label, generator())
    restored.load_state_dict(seen.state_dict())
    losses = [step(objective, network, x, label)[0].item() for objective in (seen, restored, fresh)]
    assert losses[0] == losses[1]
    assert abs(losses[0] - losses[2]) > 1e-4 * abs(losses[0])


# --- Cross-entropy, alone and with the magnitudes of the weights ---


def test_natural_is_the_cross_entropy() -> None:
    network, (x, label) = smooth(), images(12)
    assert step(EVERY["natural"](), network, x, label)[0] == cross_entropy(network(x), label)


def test_l1_in_closed_form() -> None:
    network, (x, label) = smooth(), images(12)
    plain, plain_gradients = step(EVERY["natural"](), network, x, label)
    loss, gradients = step(EVERY["l1"](weight=0.03), network, x, label)
    values = [value for parameter in network.parameters() for value in parameter.flatten().tolist()]
    assert loss.item() == pytest.approx(plain.item() + 0.03 * sum(map(abs, values)), abs=1e-10)
    parameters = list(network.parameters())
    expected = [g + 0.03 * p.detach().sign() for g, p in zip(plain_gradients, parameters, strict=True)]
    assert close(gradients, expected)


def test_tempered_in_closed_form() -> None:
    """By hand for two classes: ``log(1 + exp(-7 (f_y - f_other))) / 7``."""
    network, (x, label) = smooth(), images(12)
    logits = network(x).detach()
    gap = (2 * label - 1) * (logits[:, 1] - logits[:, 0])
    expected = torch.log1p((-7 * gap).exp()).mean() / 7
    loss = step(EVERY["tempered"](temperature=7.0), network, x, label)[0]
    assert loss.item() == pytest.approx(expected.item(), abs=1e-12)


# --- Transport ---


def test_transport_objectives_are_the_losses_of_their_names() -> None:
    network, (x, label) = smooth(), images(12)
    logits = network(x).detach()
    settings = {"alpha": 0.7, "min_margin": 0.4}
    soft = SoftHKR(**settings, temperature=5.0)
    expected = {
        "transport": soft(logits, label),
        "transport_one_vs_all": one_vs_all_hkr(logits, label, **settings),
        "transport_binary": binary_hkr((logits[:, 1] - logits[:, 0]) / math.sqrt(2), label, **settings),
    }
    for name, value in expected.items():
        more = {"temperature": 5.0} if name == "transport" else {}
        loss = step(EVERY[name](**settings, **more), network, x, label)[0]
        assert loss.item() == pytest.approx(value.item(), abs=1e-12)


def test_binary_transport_refuses_three_classes() -> None:
    with pytest.raises(XaiboardError, match="needs a data set of 2 classes; this one has 3"):
        EVERY["transport_binary"]()(smooth(3), *images(6, classes=3), generator())


# --- Attacked images ---


@pytest.mark.parametrize(("name", "attack"), [("adversarial_linf", pgd_linf), ("adversarial_l2", pgd_l2)])
def test_adversarial_training_sees_the_attacked_images_alone(
    name: str, attack: Callable[..., Tensor]
) -> None:
    network, (x, label) = smooth(), images(12)
    settings = {"eps": 0.2, "step": 0.05, "steps": 4}
    attacked = attack(network, x, label, **settings, generator=generator(3))
    loss, gradients = step(EVERY[name](**settings), network, x, label, seed=3)
    expected, others = step(EVERY["natural"](), network, attacked, label)
    assert loss == expected
    assert close(gradients, others)
    assert loss > step(EVERY["natural"](), network, x, label)[0]


def test_trades_without_an_attack_is_the_cross_entropy() -> None:
    """At ``x' = x`` the divergence is 0, and so is its gradient."""
    network, (x, label) = smooth(3), images(12, classes=3)
    loss, gradients = step(EVERY["trades"](eps=0.0, beta=100.0), network, x, label)
    expected, others = step(EVERY["natural"](), network, x, label)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-12)
    assert close(gradients, others)


def divergence(network: nn.Module, x: Tensor, attacked: Tensor) -> Tensor:
    """``sum_k p_k(x) (log p_k(x) - log p_k(x'))`` of each image, written out."""
    p, q = (logits.exp() / logits.exp().sum(1, keepdim=True) for logits in (network(x), network(attacked)))
    return (p * (p.log() - q.log())).sum(1)


def test_trades_equals_the_formula_at_the_corner_that_the_noise_points_to() -> None:
    """On one layer the divergence grows along w in both directions; the sign of ``w noise`` says which one is taken."""
    network, (x, label) = two_rows(0.3), images(12)
    w = (network[-1].get_parameter("weight")[1] - network[-1].get_parameter("weight")[0]).detach()
    noise = torch.randn(x.shape, generator=generator(4), dtype=x.dtype)
    side = (noise.flatten(1) @ w).sign()
    assert 0 < (side > 0).sum() < 12
    attacked = x + EPS * (side[:, None] * w.sign()).view_as(x)
    loss, gradients = step(EVERY["trades"](eps=EPS, step=0.03, steps=10, beta=2.5), network, x, label, seed=4)
    expected = cross_entropy(network(x), label) + 2.5 * divergence(network, x, attacked).mean()
    reverse = cross_entropy(network(x), label) + 2.5 * divergence(network, attacked, x).mean()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-10)
    assert abs(expected - reverse) > 1e-3
    assert close(gradients, list(torch.autograd.grad(expected, [*network.parameters()])), 1e-10)


def test_climbing_stays_in_the_ball_and_in_the_range() -> None:
    x = torch.tensor([[0.0, 0.05, 0.5, 0.95, 1.0]])
    up, down = (
        climb_linf(lambda y, sign=sign: sign * y.sum(), x, x, eps=EPS, step=0.04, steps=5) for sign in (1, -1)
    )
    assert torch.allclose(up, torch.tensor([[0.1, 0.15, 0.6, 1.0, 1.0]]))
    assert torch.allclose(down, torch.tensor([[0.0, 0.0, 0.4, 0.85, 0.9]]))
    outside = climb_linf(torch.sum, x, x + 7, eps=EPS, step=0.04, steps=0)
    assert torch.allclose(outside, (x + EPS).clamp(0, 1))
    assert not up.requires_grad


# --- The weight of the Lipschitz penalty ---


def weights(losses: list[float], adaptive: AdaptiveWeight | None = None) -> list[float]:
    adaptive = AdaptiveWeight() if adaptive is None else adaptive
    return [float(adaptive(torch.tensor(loss, dtype=torch.float64))) for loss in losses]


def test_at_the_target_the_weight_stays() -> None:
    assert weights([1.5] * 50) == pytest.approx([220.0] * 50, rel=1e-12)


def test_below_the_target_it_grows_from_the_first_step_on() -> None:
    expected = [220 * math.exp(0.02 * n * math.log(1.5)) for n in range(1, 51)]
    assert weights([1.0] * 50) == pytest.approx(expected, rel=1e-9)


def test_far_below_the_target_it_grows_by_one_exponent_a_step() -> None:
    """The change is clipped to 1: for a loss of 0.1 it would be ``ln 15 = 2.7``, for a loss of 0 infinite."""
    assert weights([0.1, 0.1, 0.0]) == pytest.approx([220 * math.exp(0.02 * n) for n in (1, 2, 3)], rel=1e-9)


def test_above_the_target_it_falls_slowly_and_never_below_its_start() -> None:
    grown = AdaptiveWeight()
    weights([0.1] * 2, grown)
    falling = weights([3.0] * 250, grown)
    expected = [220 * math.exp(0.02 * max(0, 2 - 0.01 * n)) for n in range(1, 251)]
    assert falling == pytest.approx(expected, rel=1e-9)
    assert falling[-1] == 220
    weights([0.1], grown)
    assert weights([1.506], grown) == pytest.approx([220 * math.exp(0.02 * (1 - math.log(1.004)))], rel=1e-9)


def test_other_settings_of_the_weight() -> None:
    adaptive = AdaptiveWeight(target=0.5, start=3.0, growth=0.1)
    assert weights([0.5, 0.25], adaptive) == pytest.approx([3.0, 3 * math.exp(0.1 * math.log(2))], rel=1e-9)


# --- The Lipschitz penalty ---


def scores(seed: int, batch: int = 900) -> list[int]:
    """How often each of three logits took part in the penalty, decoded from the value of the penalty on one layer.

    The rows of the layer are orthogonal, with squared norms 1, 1000 and 1000 squared. In every image the label is 0 and
    the largest other logit that of class 1. So the digits of the sum of squared gradients in base 1000 are the counts.
    """
    weight = torch.zeros(3, 64, dtype=torch.float64)
    weight[0, 3], weight[1, 20], weight[2, 41] = 1.0, math.sqrt(1000), 1000.0
    network = one_layer(weight, torch.tensor([0.0, 5000.0, -5000.0], dtype=torch.float64))
    x, label = images(batch, classes=1)
    objective = EVERY["lipschitz_penalty"](start=1.0, growth=0.0)
    penalty = step(objective, network, x, label, seed)[0] - cross_entropy(network(x), label).detach()
    total = round(penalty.item() * 64 * batch)
    assert penalty.item() * 64 * batch == pytest.approx(total, abs=1e-2)
    return [total % 1000, total // 1000 % 1000, total // 1_000_000]


def test_the_penalty_draws_logits_evenly_and_the_margin_for_a_fifth() -> None:
    counts = torch.tensor([scores(seed) for seed in range(20)]).double()
    images_seen = 20 * 900
    margins = counts.sum() - images_seen  # each margin involves two logits
    assert margins / images_seen == pytest.approx(0.2, abs=0.012)  # four standard deviations
    single = counts.sum(0) - torch.tensor([margins, margins, 0])
    assert (single / images_seen).tolist() == pytest.approx([0.8 / 3] * 3, abs=0.014)


ORTHOGONAL = torch.linalg.qr(torch.randn(64, 3, generator=generator(), dtype=torch.float64)).Q.T
OPPOSED = torch.stack((ORTHOGONAL[0], -ORTHOGONAL[0]))


@pytest.mark.parametrize(("rows", "margin"), [(ORTHOGONAL, 2), (OPPOSED, 4)], ids=["orthogonal", "opposed"])
def test_the_penalty_of_rows_of_norm_one_counts_the_margins(rows: Tensor, margin: int) -> None:
    """The squared gradient of a logit is 1, that of a margin ``margin``; the weight follows from the cross-entropy."""
    classes = len(rows)
    network = one_layer(rows, torch.full((classes,), -50.0))  # the other logits are negative too
    x, label = images(50, classes=classes)
    plain = cross_entropy(network(x), label).item()
    assert 0.6 < plain < 1.2
    objective = EVERY["lipschitz_penalty"]()
    for seed in range(3):
        psi = 220 * math.exp(0.02 * (seed + 1) * math.log(1.5 / plain))
        mean = (step(objective, network, x, label, seed)[0].item() - plain) / (psi / 64)
        margins = 50 * (mean - 1) / (margin - 1)
        assert margins == pytest.approx(round(margins), abs=1e-3)
        assert 1 <= round(margins) <= 25


def test_the_gradient_of_the_penalty_of_one_layer() -> None:
    """With one class every drawn score is its logit (this seed draws no margin), and the penalty pulls w to 0."""
    w = torch.randn(1, 64, generator=generator(), dtype=torch.float64)
    network, (x, _) = one_layer(w, torch.zeros(1).double()), images(5)
    seed = next(s for s in range(100) if (torch.rand(5, generator=generator(s)) > 0.2).all())
    objective = EVERY["lipschitz_penalty"](start=220.0, growth=0.0)
    loss, (gradient, _) = step(objective, network, x, torch.zeros(5, dtype=torch.int64), seed)
    assert loss.item() == pytest.approx(220 * w.square().sum().item() / 64, rel=1e-9)
    assert torch.allclose(gradient, 220 * 2 * w / 64, rtol=1e-9)


def test_the_penalty_looks_at_attacked_images_where_there_are_any() -> None:
    network, (x, label) = smooth(3), images(64, classes=3)
    label = network(x).argmax(1)  # all right, so all can be attacked
    near = x + l2_loop(network, x, label, rule="l2min", path=EPS, steps=7).change
    clean, attacked = network(x).detach(), network(near).detach()
    assert (clean - attacked).abs().amax(1).min() > 1e-6
    for share, low, high in ((0.0, 0, 0), (0.5, 16, 48), (1.0, 64, 64)):
        objective = EVERY["lipschitz_penalty"](attacked=share, eps=EPS, steps=7)
        logits = objective(network, x, label, generator())[1].detach()
        moved = ((logits - attacked).abs().amax(1) < 1e-9).sum()
        assert moved + ((logits - clean).abs().amax(1) < 1e-9).sum() == 64
        assert low <= moved <= high
    objective = EVERY["lipschitz_penalty"](attacked=1.0, start=0.0, eps=EPS, steps=7)
    expected, others = step(EVERY["natural"](), network, near, label)
    loss, gradients = step(objective, network, x, label)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-9)
    assert close(gradients, others, 1e-9)


# --- Attributions of the loss ---


def slow_loss_ig(network: nn.Module, x: Tensor, moved: Tensor, label: Tensor, points: int) -> Tensor:
    """:func:`loss_ig` one image and one point at a time."""
    rows = []
    for one, other, own in zip(x, moved, label, strict=True):
        total = torch.zeros_like(one)
        for k in range(1, points + 1):
            at = (one + k / points * (other - one))[None].requires_grad_()
            total += torch.autograd.grad(cross_entropy(network(at), own[None]), at)[0][0]
        rows.append((other - one) * total / points)
    return torch.stack(rows)


def moved_from(x: Tensor, seed: int) -> Tensor:
    return x + torch.empty_like(x).uniform_(-EPS, EPS, generator=generator(seed))


@pytest.mark.parametrize("points", [1, 4])
def test_loss_attributions_one_by_one(points: int) -> None:
    network, (x, label) = smooth(3), images(5, classes=3)
    fast = loss_ig(network, x, moved_from(x, 1), label, points=points)
    assert torch.allclose(fast, slow_loss_ig(network, x, moved_from(x, 1), label, points), rtol=0, atol=1e-15)


def test_loss_attributions_sum_to_the_rise_of_the_loss() -> None:
    """The error halves when the number of points doubles; extrapolation removes nearly all of it."""
    network, (x, label) = two_rows(), images(5)
    moved = moved_from(x, 1)
    rise = (cross_entropy(network(y), label, reduction="none").detach() for y in (moved, x))
    exact = next(rise) - next(rise)
    sums = [loss_ig(network, x, moved, label, points=m).flatten(1).sum(1).detach() for m in (50, 100, 200)]
    for coarse, fine in pairwise(sums):
        assert torch.allclose((fine - exact) / (coarse - exact), torch.tensor(0.5).double(), atol=0.01)
        assert torch.allclose(2 * fine - coarse, exact, rtol=1e-4, atol=1e-6)


def test_loss_attributions_are_differentiable_in_the_image_and_in_the_weights() -> None:
    x, label = images(1)
    weight = two_rows()[-1].get_parameter("weight").detach().requires_grad_()

    def attribution(moved: Tensor, weight: Tensor) -> Tensor:
        class Network(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return 0.2 * x.flatten(1) @ weight.T

        return loss_ig(Network(), x, moved, label, points=3).flatten(1)[:, ::9]

    assert torch.autograd.gradcheck(attribution, (moved_from(x, 1).requires_grad_(), weight))


@pytest.mark.parametrize("name", ["ig_norm", "ig_sum_norm"])
def test_attribution_objectives_at_a_random_image(name: str) -> None:
    """An attack of no steps ends where it starts, at a random image."""
    network, (x, label) = smooth(3), images(6, classes=3)
    loss, _ = step(EVERY[name](eps=EPS, steps=0, points=4, weight=2.5), network, x, label, seed=7)
    moved = moved_from(x, 7)
    norm = slow_loss_ig(network, x, moved, label, 4).abs().sum().item() / 6
    at = moved if name == "ig_sum_norm" else x
    assert loss.item() == pytest.approx(cross_entropy(network(at), label).item() + 2.5 * norm, abs=1e-12)


@pytest.mark.parametrize(("name", "share"), [("ig_norm", 0.9), ("ig_sum_norm", 1 - 1e-9)])
def test_the_attack_on_attributions_raises_the_objective(name: str, share: float) -> None:
    """On one layer: to the largest value if the attack climbs the cross-entropy too, else to one of many maxima."""
    network, (x, label) = two_rows(0.05), images(6)
    w = network[-1].get_parameter("weight").diff(dim=0).detach()
    sign = (1 - 2 * label)[:, None] * w.sign()
    worst = x + EPS * sign.view_as(x)
    norm = loss_ig(network, x, worst, label, points=50).abs().sum() / 6
    at = worst if name == "ig_sum_norm" else x
    highest = (cross_entropy(network(at), label) + norm).item()
    random, found = (
        step(EVERY[name](eps=EPS, steps=steps, points=50, weight=1.0), network, x, label)[0].item()
        for steps in (0, 6)
    )
    plain = cross_entropy(network(x), label).item()
    assert random - plain < 0.6 * (highest - plain)
    assert share * (highest - plain) < found - plain <= highest - plain + 1e-12
