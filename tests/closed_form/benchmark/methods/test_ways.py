"""Explanations that are ways to another image: to the class boundary, and to the adversarial explanation."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError

Attribute = Callable[..., Tensor]


def rmse(change: Tensor) -> Tensor:
    return change.flatten(1).square().mean(1).sqrt()


def two_logits(weight: Tensor) -> nn.Sequential:
    """Logits ``(w x / 2, -w x / 2)``."""
    layer = nn.Linear(weight.numel(), 2, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.stack([weight, -weight]).flatten(1) / 2)
    return nn.Sequential(nn.Flatten(), layer).eval()


def test_for_two_classes_and_a_unit_gradient_it_is_f_times_grad_f(attribute: Attribute) -> None:
    """Potential ``f = w x`` of norm 1, with logits ``(f / 2, -f / 2)``: whichever class is explained."""
    w = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    w /= w.norm()
    x = torch.randn(6, 1, 3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    f = (x * w).flatten(1).sum(1)
    for k in (0, 1):
        found = attribute("counterfactual_direction", two_logits(w), x, torch.full((6,), k))
        torch.testing.assert_close(found, f[:, None, None, None] * w)


@pytest.mark.parametrize("margins", [0.5, 1.0, 3.0])
def test_on_a_linear_model_the_counterfactual_has_the_margin_that_is_asked_for(
    attribute: Attribute, linear: nn.Module, x: Tensor, target: Tensor, margins: float
) -> None:
    """The target's lead over the class that was the best other falls to ``1 - margins`` of what it was."""
    before = linear(x)
    other = before.scatter(1, target[:, None], -torch.inf).argmax(1)
    moved = linear(x - attribute("counterfactual_direction", linear, x, target, margins=margins))

    def lead(logits: Tensor) -> Tensor:
        return (logits.gather(1, target[:, None]) - logits.gather(1, other[:, None])).detach()

    assert (lead(before) < 0).any()
    torch.testing.assert_close(lead(moved), (1 - margins) * lead(before))


def test_is_the_gradient_of_the_lead_scaled(
    attribute: Attribute, cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    found = attribute("counterfactual_direction", cnn, images, target)
    for image, k, way in zip(images, target.tolist(), found, strict=True):
        logits = cnn(image[None])[0].tolist()
        other = max((j for j in range(4) if j != k), key=lambda j: logits[j])
        jacobian = torch.autograd.functional.jacobian(lambda z: cnn(z[None])[0], image)
        assert isinstance(jacobian, Tensor)
        slope = jacobian[k] - jacobian[other]
        torch.testing.assert_close(way, (logits[k] - logits[other]) * slope / slope.square().sum())


def test_a_tiny_gradient_is_not_lost_and_a_zero_one_goes_nowhere(attribute: Attribute) -> None:
    w = torch.tensor([[[3e-30, 4e-30]]], dtype=torch.float32)
    model, x, target = two_logits(w.double()).float(), torch.tensor([[[[1.0, 2.0]]]]), torch.tensor([0])
    expected = (
        torch.tensor([[[[3.0, 4.0]]]]) * 11 / 25
    )  # the lead 11e-30 over the slope's norm 5e-30, along it
    torch.testing.assert_close(attribute("counterfactual_direction", model, x, target), expected)
    flat = two_logits(torch.zeros(1, 1, 2)).float()
    assert (attribute("counterfactual_direction", flat, x, target) == 0).all()


def loop(model: nn.Module, image: Tensor, k: int, sign: float, radius: float, steps: int) -> Tensor:
    """The adversarial explanation of one image, by the cross-entropy; the paper's code adds 1e-8 to each divisor."""
    delta = torch.zeros_like(image)
    for step in range(steps):
        moved = (image + delta).requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(moved[None]), torch.tensor([k]))
        follow = delta.square().mean().sqrt() < radius
        way = sign * torch.autograd.grad(loss, moved)[0] if follow else -delta
        delta = (
            delta + 5 * radius * 2 * (steps - step) / (steps * (steps + 1)) * way / way.square().mean().sqrt()
        )
    return delta


@pytest.mark.parametrize(("direction", "sign"), [("plus", -1.0), ("minus", 1.0)])
def test_adversarial_explanations_are_the_loop_of_the_paper(
    attribute: Attribute, cnn: nn.Sequential, images: Tensor, target: Tensor, direction: str, sign: float
) -> None:
    expected = [loop(cnn, image, k, sign, 0.07, 10) for image, k in zip(images, target.tolist(), strict=True)]
    found = attribute(
        "adversarial_explanation", cnn, images, target, direction=direction, radius=0.07, steps=10
    )
    torch.testing.assert_close(found, torch.stack(expected), rtol=0, atol=3e-5)


def test_plus_makes_the_target_more_likely_and_minus_less(
    attribute: Attribute, cnn: nn.Sequential, images: Tensor, target: Tensor
) -> None:
    def chance(x: Tensor) -> Tensor:
        return cnn(x).softmax(1).gather(1, target[:, None])[:, 0].detach()

    more, less = (
        images + attribute("adversarial_explanation", cnn, images, target, direction=direction)
        for direction in ("plus", "minus")
    )
    assert (chance(more) > chance(images)).all()
    assert (chance(less) < chance(images)).all()


def test_of_two_linear_logits_every_step_is_along_the_weight_and_ends_near_the_radius(
    attribute: Attribute,
) -> None:
    """Steps are added up along w until they reach the radius, and then go back and forth across it."""
    w = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x, target = torch.rand(2, 1, 3, 4, dtype=torch.float64), torch.tensor([0, 1])
    found = attribute("adversarial_explanation", two_logits(w), x, target)
    unit = w / w.square().mean().sqrt()
    lengths, at = [5 * 0.1 * 2 * (35 - step) / (35 * 36) for step in range(35)], 0.0
    for length in lengths:
        at += length if at < 0.1 else -length
    torch.testing.assert_close(found, at * torch.stack([unit, -unit]), rtol=1e-6, atol=1e-9)
    assert abs(at - 0.1) < lengths[-1]


def test_a_saturated_softmax_has_a_direction(attribute: Attribute) -> None:
    """A lead of 2000 in float32: the cross-entropy's gradient is zero, and the explanation is not."""
    w = torch.full((1, 2, 2), 1000.0)
    model, x, target = two_logits(w.double()).float(), torch.full((1, 1, 2, 2), 0.5), torch.tensor([0])
    moved = x.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(model(moved), target)
    assert (torch.autograd.grad(loss, moved)[0] == 0).all()
    found = attribute("adversarial_explanation", model, x, target)
    assert (found > 0).all()
    assert abs(float(rmse(found)[0]) - 0.1) < 0.01


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("adversarial_explanation", {"steps": 0}, "'steps' of 'adversarial_explanation' must be at least 1"),
        (
            "adversarial_explanation",
            {"radius": 0.0},
            "'radius' of 'adversarial_explanation' must be positive",
        ),
        ("counterfactual_direction", {"margins": -1.0}, "'margins' of 'counterfactual_direction' must be at"),
    ],
)
def test_settings_that_make_no_sense(
    attribute: Attribute,
    linear: nn.Module,
    x: Tensor,
    target: Tensor,
    name: str,
    settings: dict[str, float],
    message: str,
) -> None:
    with pytest.raises(XaiboardError, match=message):
        attribute(name, linear, x, target, **settings)
