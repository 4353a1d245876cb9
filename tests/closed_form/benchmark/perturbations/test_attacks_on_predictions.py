"""Attacks on predictions: closed forms on linear networks, and what they may not do."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError, methods, perturbations
from xaiboard.benchmark.toolkit.rng import SampleRng

ATTACKS = ["adversarial_explanation_attack", "pgd"]


@pytest.fixture(params=[1, 3], ids=["grey", "rgb"])
def x(request: pytest.FixtureRequest) -> Tensor:
    """Away from 0 and 1, which small balls do not reach."""
    shape = (6, request.param, 6, 6)
    return 0.3 + 0.4 * torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def linear(x: Tensor, classes: int = 2) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), classes)).double()


def curved(x: Tensor) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Flatten(), nn.Linear(x[0].numel(), 20), nn.Tanh(), nn.Linear(20, 4)
        return nn.Sequential(*layers).double()


def run(name: str, model: nn.Module, x: Tensor, ids: range | None = None, **settings: Any) -> Tensor:  # noqa: ANN401
    with torch.no_grad():
        logits = model(x)
    given = {
        "model": model,
        "x": x,
        "target": logits.argmax(1),
        "logits": logits,
        "rng": SampleRng(0, ids or range(len(x)), name),
    }
    entry = perturbations[name]
    return entry(**{key: given[key] for key in entry.supplied}, **settings)


def against(model: nn.Module, x: Tensor, label: Tensor) -> Tensor:
    """Weights of the other of two classes minus those of ``label``, shaped like ``x``."""
    weight = model.get_parameter("1.weight")
    return (weight[1 - label] - weight[label]).view_as(x)


def test_pgd_reaches_the_corner_of_the_ball(x: Tensor) -> None:
    """Of two classes, linear: the gradient's sign is the same everywhere, and 2.5 radii are more than 2."""
    model = linear(x)
    label = model(x).argmax(1)
    found = run("pgd", model, x, eps=0.2)
    torch.testing.assert_close(found, x + 0.2 * against(model, x, label).sign())
    clipped = run("pgd", model, x, eps=0.5)
    torch.testing.assert_close(clipped, (x + 0.5 * against(model, x, label).sign()).clamp(0, 1))


def test_pgd_starts_anywhere_in_the_ball_and_keeps_the_best_end(x: Tensor) -> None:
    model = curved(x)
    label = model(x).argmax(1)
    odds = model(x).softmax(1).gather(1, label[:, None])
    starts = run("pgd", model, x, eps=0.1, step=0.0, steps=1)
    assert 0.08 < (starts - x).abs().max() <= 0.1 + 1e-12
    assert abs((starts - x).mean()) < 4 * 0.1 / 3**0.5 / x.numel() ** 0.5
    before = odds
    for restarts in (1, 2, 5):  # the first starts are the same
        found = run("pgd", model, x, eps=0.1, steps=2, restarts=restarts)
        now = model(found).softmax(1).gather(1, label[:, None])
        assert (now <= before + 1e-12).all()
        before = now
    one = model(run("pgd", model, x, eps=0.1, steps=2)).softmax(1).gather(1, label[:, None])
    assert (before < one).any()


def test_pgd_beats_a_softmax_that_saturates(x: Tensor) -> None:
    model = linear(x)
    model.load_state_dict({key: 1e4 * value for key, value in model.state_dict().items()})
    label = model(x).argmax(1)
    assert (model(x).gather(1, 1 - label[:, None]) - model(x).gather(1, label[:, None]) < -800).any()
    torch.testing.assert_close(run("pgd", model, x), x + 0.1 * against(model, x, label).sign())


def test_an_adversarial_explanation_goes_straight_and_fills_the_ball(x: Tensor) -> None:
    """Linear, two classes: every step has one direction, there and back; the last one is short."""
    model = linear(x)
    label = model(x).argmax(1)
    weight = against(model, x, label)
    for direction, sign in (("minus", 1), ("plus", -1)):
        change = run("adversarial_explanation_attack", model, x, eps=0.05, direction=direction) - x
        length = change.flatten(1).square().mean(1).sqrt()
        along = sign * weight / weight.flatten(1).square().mean(1).sqrt().view(-1, 1, 1, 1)
        torch.testing.assert_close(change, length.view(-1, 1, 1, 1) * along, rtol=1e-5, atol=1e-8)
        assert ((length > 0.04) & (length < 0.06)).all()


def test_an_adversarial_explanation_is_what_the_method_adds(x: Tensor) -> None:
    model = curved(x)
    target = model(x).argmax(1)
    for direction in ("minus", "plus"):
        for eps in (0.1, 0.8):
            attribution = methods["adversarial_explanation"](
                model=model, x=x, target=target, direction=direction, radius=eps
            )
            found = run("adversarial_explanation_attack", model, x, direction=direction, eps=eps)
            assert torch.equal(found, (x + attribution).clamp(0, 1))


def test_they_speak_against_the_predicted_class(x: Tensor) -> None:
    model = curved(x)
    label = model(x).argmax(1)
    before = model(x).softmax(1).gather(1, label[:, None])
    for name in ATTACKS:
        after = model(run(name, model, x, eps=0.05)).softmax(1).gather(1, label[:, None])
        assert (after < before).all()
    more = model(run("adversarial_explanation_attack", model, x, direction="plus", eps=0.05))
    assert (more.softmax(1).gather(1, label[:, None]) > before).all()


@pytest.mark.parametrize("name", ATTACKS)
def test_stays_in_range_and_leaves_the_input_alone(x: Tensor, name: str) -> None:
    kept = x.clone()
    found = run(name, curved(x), x, eps=0.9)
    assert torch.equal(x, kept)
    assert found.min() >= 0
    assert found.max() <= 1
    assert torch.equal(run(name, curved(x), x, eps=0.0), x)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_sample_does_not_see_its_batch(x: Tensor, name: str) -> None:
    model = curved(x)
    alone = [run(name, model, x[i : i + 1], range(i, i + 1)) for i in range(len(x))]
    torch.testing.assert_close(torch.cat(alone), run(name, model, x))


@pytest.mark.parametrize("name", ATTACKS)
def test_a_network_without_a_slope_is_no_error(x: Tensor, name: str) -> None:
    flat = linear(x)
    flat.load_state_dict({key: 0 * value for key, value in flat.state_dict().items()})
    found = run(name, flat, x)
    assert found.isfinite().all()
    assert (found - x).abs().max() <= 0.1 + 1e-12


@pytest.mark.parametrize("name", ATTACKS)
def test_vectors_are_attacked_too(x: Tensor, name: str) -> None:
    vectors = x.flatten(1)
    found = run(name, curved(vectors), vectors)
    assert found.shape == vectors.shape
    assert not torch.equal(found, vectors)


@pytest.mark.parametrize(
    ("name", "setting", "value", "problem"),
    [
        *((name, "eps", -0.1, "from 0 to 1, the range of a pixel; got '-0.1'") for name in ATTACKS),
        *((name, "eps", 8.0, "from 0 to 1, the range of a pixel; got '8'") for name in ATTACKS),
        *((name, "steps", 0, "at least 1") for name in ATTACKS),
        ("pgd", "step", -1.0, "at least 0"),
        ("pgd", "restarts", 0, "at least 1"),
        ("adversarial_explanation_attack", "overshoot", -1.0, "at least 0"),
    ],
)
def test_refuses_what_makes_no_sense(x: Tensor, name: str, setting: str, value: float, problem: str) -> None:
    with pytest.raises(XaiboardError, match=f"'{setting}' of '{name}' must be {problem}"):
        run(name, curved(x), x, None, **{setting: value})
