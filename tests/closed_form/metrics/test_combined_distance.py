"""The best of several attacks on each image, against linear models whose distances are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from xaiboard.benchmark import metrics
from xaiboard.benchmark.components.choice import choose
from xaiboard.benchmark.toolkit.carlini_wagner import carlini_wagner
from xaiboard.benchmark.toolkit.deepfool import deepfool
from xaiboard.benchmark.toolkit.minimal_attacks import Found, shorten
from xaiboard.benchmark.toolkit.rng import SampleRng
from xaiboard.metrics.shared import combined_distance as combined


class Linear(nn.Module):
    """Logits ``scale * W (x - 1/2)``."""

    def __init__(self, classes: int, scale: float = 1.0) -> None:
        super().__init__()
        self.w = torch.randn(classes, 25, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (x.flatten(1) - 0.5) @ self.w.T


def images(low: float, high: float) -> Tensor:
    drawn = torch.rand(8, 1, 5, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return low + (high - low) * drawn


def exact(model: Linear, x: Tensor, label: Tensor) -> Tensor:
    """To each other class, ``x - t w`` cut to ``[0, 1]`` with the least t that crosses: the multiplier of the box."""
    nearest, weights = [], model.w.numpy()
    for image, own in zip(x.flatten(1).numpy(), label.tolist(), strict=True):
        lengths = []
        for w in (weights[own] - weights[other] for other in range(len(weights)) if other != own):
            low, high = 0.0, 10.0
            for _ in range(45):
                middle = (low + high) / 2
                crossed = ((image - middle * w).clip(0, 1) - 0.5) @ w <= 0
                low, high = (low, middle) if crossed else (middle, high)
            lengths.append(np.linalg.norm((image - high * w).clip(0, 1) - image))
        nearest.append(min(lengths))
    return torch.tensor(nearest, dtype=torch.float64)


def lengths(model: nn.Module, x: Tensor, label: Tensor, change: Tensor) -> Tensor:
    """Of changes that succeed everywhere, shortened by bisection."""
    assert (model(x + change).argmax(1) != label).all()
    return shorten(model, x, label, change).flatten(1).norm(dim=1)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_deepfool_finds_the_nearest_of_several_boundaries(scale: float) -> None:
    model, x = Linear(4, scale), images(0.3, 0.7)
    label = model(x).argmax(1)
    found = lengths(model, x, label, deepfool(model, x, label))
    torch.testing.assert_close(found, exact(model, x, label), rtol=1e-3, atol=0)
    assert not deepfool(model, x, (label + 1) % 4).any()  # wrong from the start


@pytest.mark.parametrize(("scale", "off"), [(1e-3, 3.0), (1e3, 1 / 3)])
def test_carlini_wagner_finds_the_boundary(scale: float, off: float) -> None:
    """From three times to a third of the distance, whatever the scale of the logits, and also along the box."""
    model, x = Linear(2, scale), images(0, 1)
    x[:4] = x[:4].round()
    label = model(x).argmax(1)
    wanted = exact(model, x, label)
    found = carlini_wagner(model, x, label, off * wanted)
    assert (found.step <= 100).all()
    torch.testing.assert_close(lengths(model, x, label, found.change), wanted, rtol=0.02, atol=0)


def test_carlini_wagner_does_not_know_the_scale_of_the_logits() -> None:
    x = images(0.2, 0.8)
    label = Linear(4)(x).argmax(1)
    small, large = (
        carlini_wagner(Linear(4, scale), x, label, torch.full_like(x[:, 0, 0, 0], 0.3), steps=20, rounds=2)
        for scale in (1e-3, 1e3)
    )
    torch.testing.assert_close(small.change, large.change)


def test_deepfool_stays_in_the_box() -> None:
    model, x = Linear(4), images(0, 1).round()
    label = model(x).argmax(1)
    moved = x + deepfool(model, x, label)
    assert ((moved >= 0) & (moved <= 1)).all()
    assert ((moved - x).flatten(1).norm(dim=1) > 0.999 * exact(model, x, label)).all()


def distance_of(model: nn.Module, x: Tensor, label: Tensor, **settings: object) -> dict[str, Tensor]:
    given = {"model": model, "x": x, "label": label, "logits": model(x).detach()}
    return metrics["attack_distance"](**given, rng=SampleRng(0, range(len(x)), "test"), **settings)


def test_the_metric_takes_the_best_and_leaves_wrong_images_alone() -> None:
    model, x = Linear(4), images(0.2, 0.8)
    label = model(x).argmax(1)
    wanted = exact(model, x, label)
    label[4], wanted[4] = (label[4] + 1) % 4, 0
    found = distance_of(model, x, label, attack="combined", steps=30)
    torch.testing.assert_close(found[""], wanted, rtol=5e-3, atol=0)
    assert found["found"].all()
    alone = distance_of(model, x[2:6], label[2:6], attack="combined", steps=30)[""]
    torch.testing.assert_close(alone, found[""][2:6], rtol=5e-3, atol=0)


@pytest.mark.parametrize("kept", ["box_distance", "deepfool", "carlini_wagner", "pgd_l2"])
def test_one_attack_is_enough(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the others find nothing; PGD comes near in steps, since its radius is that of what was found before."""

    def nothing(model: nn.Module, x: Tensor, label: Tensor, *_: object, **__: object) -> Tensor:
        return torch.zeros_like(x)

    farthest = torch.tensor([[2.5, 0.0]], dtype=torch.float64)
    others = {
        "box_distance": lambda model, x, label, **_: farthest.expand(len(x), 2),
        "deepfool": nothing,
        "carlini_wagner": lambda model, x, label, near, **_: Found(torch.zeros_like(x), near),
        "pgd_l2": lambda model, x, label, **_: x,
    }
    for name in set(others) - {kept}:
        monkeypatch.setattr(combined, name, others[name])
    model, x = Linear(2), images(0.3, 0.7)
    label = model(x).argmax(1)
    wanted = exact(model, x, label)
    found = distance_of(model, x, label, attack="combined", steps=40)
    assert found["found"].all()
    assert (found[""] < (2.5 if kept == "pgd_l2" else 1.05 * wanted)).all()
    assert (found[""] > 0.99 * wanted).all()


def test_settings_at_their_defaults_are_not_named() -> None:
    """And each attack computes its own distance alone."""
    usual, other = (
        choose(metrics["attack_distance"]),
        choose(metrics["attack_distance"], {"attack": "combined"}),
    )
    assert (usual.settings_text, usual.identity["settings"]) == ("steps=100", {"steps": 100})
    assert other.label == "attack_distance[attack=combined]"
    for choice, asked in ((usual, "box_distance"), (other, "combined_distance")):
        assert [name for name in choice.component.shared if choice.asks_for(name, otherwise=True)] == [asked]
