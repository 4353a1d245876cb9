"""What robustness costs: the page's numbers are those of the cards and of the suite ``models``."""

from __future__ import annotations

import json
from functools import cache

import pandas as pd
import pytest
from helpers import ROOT, assert_says, number, rows, spread, table

PAGE = "docs/findings/models.md"
FASHION = "fashion-mnist"


@cache
def cards() -> dict[tuple[str, str], dict]:
    """The cards of the first seed, by model and data set."""
    found = [json.loads(path.read_text()) for path in sorted((ROOT / "models/weights").glob("*.json"))]
    return {(card["name"], card["dataset"]): card for card in found if not card["seed"]}


def test_the_model_table_is_that_of_the_cards() -> None:
    """Accuracy, accuracy under attack and certified accuracy on two data sets, of the first seed."""
    shown = {name.strip("`"): tuple(cells) for name, cells in rows(PAGE, r"`\w+\.\w+`", 7).items()}
    expected = {
        name: (card["family"], *_shown(cards().get((name, "digits"))), *_shown(cards().get((name, FASHION))))
        for (name, dataset), card in cards().items()
        if dataset in ("digits", FASHION)
    }
    assert shown == expected


def _shown(card: dict | None) -> tuple[str, str, str]:
    if card is None:
        return "", "", ""
    certified = card.get("certified_accuracy")
    return (
        f"{card['accuracy']:.3f}",
        f"{card['attacked_accuracy']['accuracy']:.3f}",
        f"{certified['0.5']:.3f}" if certified else "–",
    )


def accuracy(model: str) -> str:
    """On Fashion-MNIST, as the table rounds it."""
    return f"{cards()[model, FASHION]['accuracy']:.3f}".removeprefix("0")


def certified(model: str) -> str:
    """At a radius of .5, as the table rounds it."""
    return f"{cards()[model, FASHION]['certified_accuracy']['0.5']:.3f}".removeprefix("0")


def measured(dataset: str, column: str) -> pd.Series:
    """A column of ``models.csv`` by model."""
    found = table("models", "models")
    return found[found["dataset"] == dataset].set_index("model")[column]


def lost(*models: str) -> list[float]:
    """Points of accuracy below the standard network, in ascending order."""
    best = cards()["cnn.standard", FASHION]["accuracy"]
    return sorted(100 * (best - cards()[model, FASHION]["accuracy"]) for model in models)


def test_what_robustness_costs() -> None:
    assert_says(PAGE, f"`cnn.standard` has an accuracy of {accuracy('cnn.standard')}.")
    (points,) = lost("lipcnn.hkr")
    assert_says(
        PAGE, f"pays {points:.0f} points for a certificate ({certified('lipcnn.hkr')} at an L2 radius of .5)"
    )
    low, _, high = lost("cnn.pgd_linf", "cnn.pgd_l2", "cnn.trades")
    assert_says(PAGE, f"Adversarial training pays {low:.1f} to {high:.1f} points")
    one, other = lost("cnn.ig_sum_norm", "cnn.ig_norm")
    assert_says(PAGE, f"pay {one:.0f} (`cnn.ig_sum_norm`) and {other:.0f} (`cnn.ig_norm`)")
    low, high = lost("cnn.lipschitz_penalty", "cnn.lipschitz_penalty_at")
    assert_says(PAGE, f'the Lipschitz penalty of "Adversarial explanations" {low:.0f} to {high:.0f}')
    words = {
        name: f"{accuracy(name)} and {{}}{certified(name)}"
        for name in ("lipcnn.hkr_accurate", "lipcnn.hkr_robust")
    }
    assert_says(
        PAGE, f"`lipcnn.hkr_accurate` is right on {words['lipcnn.hkr_accurate'].format('certified on ')}"
    )
    assert_says(PAGE, f"`lipcnn.hkr_robust` on {words['lipcnn.hkr_robust'].format('')}")


def test_what_the_margin_does() -> None:
    hinge, entropy = "lipcnn.hinge", "lipcnn.ce"
    assert_says(PAGE, f"an accuracy of {accuracy(hinge)} and a certified accuracy of {certified(hinge)}")
    assert_says(PAGE, f"more accurate ({accuracy(entropy)}) and hardly certified ({certified(entropy)})")
    value = measured(FASHION, "kantorovich_rubinstein")
    assert_says(
        PAGE, f"value is {number(value[entropy])}, that of `lipcnn.hkr` {number(value['lipcnn.hkr'])}"
    )


def test_how_tight_certificates_are() -> None:
    share = measured(FASHION, "tightness")
    trade_off = share[["lipcnn.hkr_accurate", "lipcnn.hkr", "lipcnn.hkr_robust"]]
    assert_says(
        PAGE,
        f"is {number(share['lipcnn.hkr'])} of the distance of the nearest adversarial image found for `lipcnn.hkr`"
        f" ({spread(trade_off)} over the trade-off), and {number(share['lipmlp.hkr'])} for `lipmlp.hkr`",
    )
    on_digits = measured("digits", "tightness")
    assert_says(
        PAGE, f"On digits it is {number(on_digits['lipcnn.hkr'])} and {number(on_digits['lipmlp.hkr'])}"
    )
    dense, convolutional = "lipmlp.hkr", "lipcnn.hkr"
    assert_says(
        PAGE,
        f"({certified(dense)} against {certified(convolutional)}) at a higher accuracy ({accuracy(dense)})",
    )
    left = {
        name: number(cards()[name, FASHION]["attacked_accuracy"]["accuracy"], 3)
        for name in (dense, convolutional)
    }
    assert_says(PAGE, f"({left[dense]} left against {left[convolutional]})")
    assert measured(FASHION, "tightness").max() <= 1
    assert on_digits.max() <= 1


def test_steps_along_the_gradient() -> None:
    flip = measured(FASHION, "step_flip")
    assert_says(
        PAGE,
        f"{number(flip['lipcnn.hkr'])} of the images on `lipcnn.hkr`, {number(flip['cnn.standard'])} on `cnn.standard`"
        f" and {number(flip['cnn.pgd_linf'])} on `cnn.pgd_linf`",
    )
    assert_says(PAGE, f"On digits it is {number(measured('digits', 'step_flip')['cnn.standard'])}")


PENALTY, HALF = "cnn.lipschitz_penalty", "cnn.lipschitz_penalty_at"
ADVERSARIAL = ["cnn.pgd_linf", "cnn.pgd_l2", "cnn.trades"]


def test_areas_on_digits() -> None:
    area = measured("digits", "ara")
    first = area[~area.index.str.contains("seed")]
    assert set(first.nlargest(2).index) == {PENALTY, HALF}
    assert_says(
        PAGE,
        f"areas: {number(area[PENALTY], 3)}, and {number(area[HALF], 3)} with half of the images attacked, against"
        f" {number(area['cnn.standard'], 3)} of the standard network",
    )
    apart = area.groupby(area.index.str.replace(r"\.seed\d", "", regex=True)).agg(
        lambda seeds: seeds.max() - seeds.min()
    )
    usual = apart.drop("cnn.ig_norm")
    assert_says(
        PAGE,
        f"differ by up to {number(usual.max(), 3)}, of `cnn.ig_norm` by {number(apart['cnn.ig_norm'], 3)}",
    )


def test_areas_on_fashion_mnist() -> None:
    area, distance = measured(FASHION, "ara"), measured(FASHION, "attack_distance.rmse")
    assert_says(
        PAGE,
        f"they are {number(area[PENALTY], 3)} and {number(area[HALF], 3)}, below adversarial training"
        f" ({spread(area[ADVERSARIAL], 3)})",
    )
    assert_says(
        PAGE,
        f"at an RMSE of {number(distance[PENALTY], 3)} and {number(distance[HALF], 3)} on average, that of adversarial"
        f" training at {spread(distance[ADVERSARIAL], 3)}",
    )


@pytest.mark.parametrize("name", ["digits", FASHION])
def test_models_have_as_many_images_as_the_page_says(name: str) -> None:
    assert set(measured(name, "n")) == {200}
    assert_says(PAGE, "200 test images")
