"""The weights in the package: they are what their cards say."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
import torch
import xaiboard.models
from safetensors.torch import load_file
from torch import Tensor, nn
from xaiboard.benchmark import models
from xaiboard.benchmark.attacks import pgd_l2, pgd_linf
from xaiboard.benchmark.data import Data, load_data
from xaiboard.benchmark.lipschitz import audit, certified_radius

WEIGHTS = Path(xaiboard.models.__file__).parent / "weights"
CARDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(WEIGHTS.glob("*.json"))}
ON_DIGITS = [stem for stem, card in CARDS.items() if card["dataset"] == "digits"]
OT = [stem for stem, card in CARDS.items() if card["family"] == "ot"]
OT_ON_DIGITS = [stem for stem in OT if stem in ON_DIGITS]


@cache
def load(stem: str) -> nn.Module:
    card = CARDS[stem]
    model = models[card["name"]].build(tuple(card["shape"]), card["classes"])
    model.load_state_dict(load_file(WEIGHTS / f"{stem}.safetensors"), strict=True)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def digits() -> Data:
    return load_data("digits", split="test")


def predict(model: nn.Module, x: Tensor) -> Tensor:
    return model(x).argmax(1)


def share(correct: Tensor) -> float:
    return float(correct.double().mean())


def test_every_registered_model_is_shipped_for_digits() -> None:
    expected = {"mlp.standard", "cnn.standard", "cnn.pgd_linf", "lipmlp.hkr", "lipcnn.hkr"}
    assert {CARDS[stem]["name"] for stem in ON_DIGITS} == expected


@pytest.mark.parametrize("stem", CARDS)
def test_a_card_matches_its_weights_and_its_recipe(stem: str) -> None:
    card, path = CARDS[stem], WEIGHTS / f"{stem}.safetensors"
    assert path.name == f"{card['name']}@{card['dataset']}.safetensors"
    assert card["weights"] == sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_size <= 2 * 2**20
    assert card["recipe"] == models[card["name"]].recipe.card  # type: ignore[union-attr]
    assert card["family"] == models[card["name"]].family


@pytest.mark.parametrize("stem", ON_DIGITS)
def test_digits_accuracy_is_the_card_s(stem: str, digits: Data) -> None:
    card = CARDS[stem]
    assert card["data"] == load_data("digits", split="train").digest
    assert share(predict(load(stem), digits.x) == digits.label) == pytest.approx(card["accuracy"], abs=1e-3)
    assert card["accuracy"] >= {"standard": 0.97, "adversarial": 0.95, "ot": 0.93}[card["family"]]


def test_adversarial_training_helps(digits: Data) -> None:
    """Against the same attack, with another seed than the card's."""

    def attacked(stem: str) -> float:
        generator = torch.Generator().manual_seed(1)
        x = pgd_linf(load(stem), digits.x, digits.label, eps=0.1, step=0.0125, steps=20, generator=generator)
        return share(predict(load(stem), x) == digits.label)

    robust, standard = attacked("cnn.pgd_linf@digits"), attacked("cnn.standard@digits")
    assert robust == pytest.approx(CARDS["cnn.pgd_linf@digits"]["attacked_accuracy"]["accuracy"], abs=0.02)
    assert robust > standard + 0.3


@pytest.mark.parametrize("stem", OT)
def test_one_lipschitz_networks_pass_the_audit(stem: str) -> None:
    x = torch.rand(16, *CARDS[stem]["shape"], generator=torch.Generator().manual_seed(0))
    assert audit(load(stem), x).passes
    assert CARDS[stem]["lipschitz"]["lower"] <= CARDS[stem]["lipschitz"]["upper"] + 1e-4 <= 1 + 2e-4


@pytest.mark.parametrize("stem", OT_ON_DIGITS)
def test_certified_accuracies_are_the_card_s(stem: str, digits: Data) -> None:
    logits = load(stem)(digits.x)
    radius = certified_radius(load(stem), logits, digits.shape)
    for text, expected in CARDS[stem]["certified_accuracy"].items():
        certified = (logits.argmax(1) == digits.label) & (radius >= float(text))
        assert share(certified) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("stem", OT_ON_DIGITS)
def test_certificates_hold_against_an_attack(stem: str, digits: Data) -> None:
    model, few = load(stem), digits[:64]
    label = predict(model, few.x)
    radius = certified_radius(model, model(few.x), few.shape)
    for seed, (x, own, eps) in enumerate(zip(few.x[:, None], label[:, None], radius.tolist(), strict=True)):
        generator = torch.Generator().manual_seed(seed)
        attacked = pgd_l2(model, x, own, eps=0.9999 * eps, step=0.2 * eps, steps=15, generator=generator)
        assert predict(model, attacked) == own


@pytest.mark.parametrize("stem", OT_ON_DIGITS)
def test_attacks_succeed_at_a_few_times_the_certificate(stem: str, digits: Data) -> None:
    """A certificate of zero would hold too: half of the predictions fall within four times the radius."""
    model, few = load(stem), digits[:64]
    label = predict(model, few.x)
    radius = certified_radius(model, model(few.x), few.shape)
    fallen = 0
    for x, own, eps in zip(few.x[:, None], label[:, None], radius.tolist(), strict=True):
        generator = torch.Generator().manual_seed(0)
        attacked = pgd_l2(model, x, own, eps=4 * eps, step=0.4 * eps, steps=20, generator=generator)
        fallen += int(predict(model, attacked) != own)
    assert fallen >= 32
