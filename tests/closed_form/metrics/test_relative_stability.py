"""Relative input and output stability: loops, linear models with closed forms, and what they do not know."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import XaiboardError
from xaiboard.benchmark.toolkit.rng import SampleRng

Measure = Callable[..., dict[str, Any]]
RELATIVE = ["relative_input_stability", "relative_output_stability"]


def noise(name: str, x: Tensor, radius: float, draws: int) -> Iterator[Tensor]:
    """What a metric draws."""
    rng = SampleRng(0, range(len(x)), name)
    return (rng.uniform(x, -radius, radius) for _ in range(draws))


def slow_relative(before: Tensor, after: Tensor, floor: float) -> float:
    before_, after_ = before.flatten().tolist(), after.flatten().tolist()
    least = floor * max(abs(v) for v in before_ + after_)
    return sum(((v - u) / max(abs(u), least)) ** 2 for u, v in zip(before_, after_, strict=True)) ** 0.5


@pytest.mark.parametrize("floor", [0.01, 0.5])
def test_relative_stability_agrees_with_loops(
    measure: Measure, net: nn.Module, x: Tensor, w: Tensor, floor: float
) -> None:
    """Some neighbours have another prediction, and the largest ratio among all is often one of theirs."""
    settings = {"radius": 0.3, "draws": 6, "floor": floor}
    explain, logits = (lambda z: (w * z).sin()), net(x).detach()
    given = {"explain": explain, "model": net, "logits": logits, "x": x, "attribution": explain(x)}
    changed = 0
    for name in RELATIVE:
        expected = torch.zeros(6, 2).double()
        kept = torch.zeros(6).double()
        for d in noise(name, x, 0.3, 6):
            outputs = net(x + d).detach()
            for i in range(6):
                if outputs[i].argmax() != logits[i].argmax():
                    changed += 1
                    continue
                kept[i] += 1 / 6
                change = slow_relative(explain(x[i]), explain(x[i] + d[i]), floor)
                moved = (outputs[i] - logits[i]).norm().item()
                centred = logits[i] - logits[i].mean()
                share = (outputs[i] - outputs[i].mean() - centred).norm() / centred.norm()
                apart = (
                    [slow_relative(x[i], x[i] + d[i], floor), 0.0]
                    if name == RELATIVE[0]
                    else [moved, share.item()]
                )
                for column, distance in enumerate(apart):
                    ratio = change / distance if distance else 0.0
                    expected[i, column] = max(expected[i, column].item(), ratio)
        found = measure(name, **given, **settings)
        torch.testing.assert_close(found["kept"], kept)
        torch.testing.assert_close(found[""].score, expected[:, 0])
        if name == RELATIVE[1]:
            torch.testing.assert_close(found["relative"].score, expected[:, 1])
        assert torch.equal(found[""].weight, (kept > 0).double())
    assert changed > 5


def test_input_x_gradient_moves_as_its_input(
    measure: Measure, two_classes: nn.Module, x: Tensor, w: Tensor
) -> None:
    """``w d / w x = d / x``: the ratio is 1, with zeros in the image too where all weights are equally large."""
    x[:, :, :2] = 0
    for weight, images in ((w.sign(), x), (w.sign() * (1 + w.abs().clamp_max(1)), x.clamp_min(0.2))):
        found = measure(
            "relative_input_stability", explain=lambda z, v=weight: v * z, x=images, attribution=weight * images,
            model=two_classes, logits=two_classes(images), radius=0.001,
        )  # fmt: skip
        torch.testing.assert_close(found[""].score, torch.ones(6).double())
        assert torch.equal(found["kept"], torch.ones(6).double())


def test_the_output_of_a_linear_model_moves_by_the_weighted_noise(
    measure: Measure, two_classes: nn.Module, x: Tensor, w: Tensor
) -> None:
    """``|h(x') - h(x)| = sqrt(2) |0.3 w . d|``, and ``h`` is centred; its size falls out of ``relative``."""
    bright, found = x + 0.5, {}
    for temperature in (0.25, 1.0, 4.0):

        class Cooled(nn.Module):
            def forward(self, z: Tensor, t: float = temperature) -> Tensor:
                return two_classes(z) / t

        cooled = Cooled()
        found[temperature] = measure(
            "relative_output_stability", explain=lambda z: z, x=bright, attribution=bright, model=cooled,
            logits=cooled(bright), radius=0.001,
        )  # fmt: skip
    score = (0.3 * w * bright).flatten(1).sum(1).abs()
    ratios, shares = [], []
    for d in noise("relative_output_stability", x, 0.001, 10):
        moved = (0.3 * w * d).flatten(1).sum(1).abs()
        ratios.append((d / bright).flatten(1).norm(dim=1) / (2**0.5 * moved))
        shares.append((d / bright).flatten(1).norm(dim=1) / (moved / score))
    torch.testing.assert_close(found[1.0][""].score, torch.stack(ratios).amax(0))
    for temperature, one in found.items():
        torch.testing.assert_close(one["relative"].score, torch.stack(shares).amax(0))
        torch.testing.assert_close(one[""].score, temperature * found[1.0][""].score)


@pytest.mark.parametrize("name", RELATIVE)
def test_temperature_shift_and_the_scale_of_a_map(
    measure: Measure, net: nn.Module, x: Tensor, w: Tensor, name: str
) -> None:
    """Other logits of the same predictions change the raw output stability alone."""

    class Cooled(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return net(z) / 4 + z.flatten(1).sum(1, keepdim=True)

    columns = []
    for model, scale in ((net, 1.0), (Cooled(), -1e-30)):
        given = {
            "explain": lambda z, s=scale: s * (w * z).sin(),
            "attribution": scale * (w * x).sin(),
            "x": x,
        }
        columns.append(measure(name, **given, model=model, logits=model(x).detach(), radius=0.1))
    scale_free = "" if name == RELATIVE[0] else "relative"
    for column in (scale_free, "kept"):
        torch.testing.assert_close(columns[1][column], columns[0][column])
    raw_differs = not torch.allclose(columns[0][""].score, columns[1][""].score)
    assert raw_differs == (name == RELATIVE[1])


@pytest.mark.parametrize("name", RELATIVE)
def test_no_neighbour_that_keeps_the_prediction(measure: Measure, x: Tensor, name: str) -> None:
    """Weight 0; and where nothing but the prediction at ``x`` is another, the others stay as they are."""

    class Apart(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return torch.stack([z.flatten(1).sum(1), 0 * z.flatten(1).sum(1)], 1)

    logits = Apart()(x)
    other = logits.clone()
    other[2] = other[2].flip(0)
    given = {"explain": lambda z: z**2, "x": x, "attribution": x**2, "model": Apart(), "logits": other}
    found = measure(name, **given)
    expected = torch.ones(6).double()
    expected[2] = 0
    assert torch.equal(found["kept"], expected)
    assert torch.equal(found[""].weight, expected)
    assert found[""].score[2] == 0
    assert (found[""].score[expected > 0] > 0).all()


@pytest.mark.parametrize("name", RELATIVE)
def test_relative_stability_of_maps_that_vanish(
    measure: Measure, net: nn.Module, x: Tensor, name: str
) -> None:
    """Always: 0. At ``x`` only: each element has changed by up to ``1 / floor``."""
    zero, logits = torch.zeros_like(x), net(x).detach()
    given = {"x": x, "attribution": zero, "model": net, "logits": logits, "radius": 0.001}
    assert torch.equal(measure(name, explain=torch.zeros_like, **given)[""].score, torch.zeros(6).double())
    one_pixel = zero.clone()
    one_pixel[:, 0, 1, 1] = 1e-30
    found = measure(name, explain=lambda z: one_pixel, **given, draws=1)[""].score
    (d,) = noise(name, x, 0.001, 1)
    if name == RELATIVE[0]:
        apart = torch.tensor([slow_relative(a, b, 0.01) for a, b in zip(x, x + d, strict=True)]).double()
    else:
        apart = (net(x + d).detach() - logits).norm(dim=1)
    torch.testing.assert_close(found, 100 / apart, rtol=1e-6, atol=0)


def test_logits_that_do_not_move_count_as_moved_by_a_millionth(measure: Measure, x: Tensor) -> None:
    class Still(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return torch.tensor([[2.0, 1.0]]).double().expand(len(z), 2)

    given = {"x": x + 1, "attribution": x + 1, "model": Still(), "logits": Still()(x), "draws": 1}
    found = measure("relative_output_stability", explain=lambda z: z, **given)
    (d,) = noise("relative_output_stability", x, 0.02, 1)
    change = (d / (x + 1)).flatten(1).norm(dim=1)
    for column in ("", "relative"):
        torch.testing.assert_close(found[column].score, change * 1e6)


@pytest.mark.parametrize("name", RELATIVE)
@pytest.mark.parametrize("floor", [0.0, -1.0, 1.5, float("nan")])
def test_a_floor_is_a_share(measure: Measure, net: nn.Module, x: Tensor, name: str, floor: float) -> None:
    given = {"explain": lambda z: z, "x": x, "attribution": x, "model": net, "logits": net(x).detach()}
    with pytest.raises(XaiboardError, match=f"'floor' of '{name}' must be above 0 and at most 1"):
        measure(name, **given, floor=floor)
