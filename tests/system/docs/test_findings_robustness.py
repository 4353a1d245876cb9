"""Maps under attack: the page's numbers are those of the suite ``lens``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from helpers import assert_row, assert_says, number, rows, spread, table

PAGE = "docs/findings/robustness.md"
TOPK, LENS = ("topk_intersection", "k=100"), ("lens_recall", "k=100,window=1,reference=clean")
DIVERSE = {
    name: (f"{name}_div", "k=100,window=1,reference=clean") for name in ("topk_intersection", "lens_recall")
}

IG, SHAP, SMOOTH = "integrated_gradients[steps=16]", "gradient_shap[draws=16]", "smoothgrad[draws=10]"
RADII = (0.05, 0.1, 0.2)

NOISE = "sign_noise[eps=0.1]"


def topk_attack(*, eps: float = 0.1, steps: int = 20, other: str = "") -> str:
    return f"topk_attack[k=100,eps={eps:g},{_climb(steps)},through=auto,other={other}]"


def lens_attack(*, eps: float = 0.1, steps: int = 20) -> str:
    return f"lens_attack[k=100,window=1,keep=recall,eps={eps:g},{_climb(steps)},through=auto,other=]"


def _climb(steps: int) -> str:
    return f"step=1,steps={steps},restarts={steps // 10},beta=5"


def values(score: tuple[str, str], perturbation: str, value: str, method: str = "saliency") -> pd.Series:
    """A column of ``robustness.csv`` by model, on the samples that all networks have in common if it says so."""
    found = table("lens", "robustness")
    metric, settings = score
    here = (found["metric"] == metric) & (found["settings"] == settings) & (found["column"] == "")
    found = found[here & (found["perturbation"] == perturbation) & (found["method"] == method)]
    assert len(found)
    return found.set_index("model")[value]


def above(score: tuple[str, str], perturbation: str, method: str = "saliency") -> pd.Series:
    return values(score, perturbation, "common_above", method)


def raw(score: tuple[str, str], perturbation: str, method: str = "saliency") -> pd.Series:
    return values(score, perturbation, "common_mean", method)


def chance(score: tuple[str, str], perturbation: str) -> pd.Series:
    return values(score, perturbation, "common_chance")


def methods() -> list[str]:
    return sorted(set(table("lens", "robustness")["method"]))


def test_the_table_of_robustness_is_that_of_the_results() -> None:
    """Of saliency, on the samples that all networks have in common."""
    shown = {name.strip("`"): cells for name, cells in rows(PAGE, r"`\w+\.\w+`", 7).items()}

    def interval(score: tuple[str, str], perturbation: str, name: str, ends: str) -> pd.Series:
        parts = [
            values(score, perturbation, which).map(_two_digits)
            for which in (name, f"{ends}_low", f"{ends}_high")
        ]
        return parts[0] + " (" + parts[1] + "–" + parts[2] + ")"

    columns = [
        interval(TOPK, perturbation, "common_mean", "common") for perturbation in (NOISE, topk_attack())
    ]
    columns += [read(LENS, topk_attack()).map(_two_digits) for read in (raw, chance)]
    columns += [
        interval(LENS, perturbation, "common_above", "common_above")
        for perturbation in (NOISE, topk_attack(), lens_attack())
    ]
    expected = pd.concat(columns, axis=1)
    assert shown == {name: list(row) for name, row in zip(expected.index, expected.to_numpy(), strict=True)}


def _two_digits(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".").replace("-", "−")


def test_how_many_images_count() -> None:
    attacked, noisy = (set(values(TOPK, name, "common_n")) for name in (topk_attack(), NOISE))
    assert_says(PAGE, f"{attacked.pop()} under attacks on the map, {noisy.pop()} under sign noise")
    assert not attacked | noisy


def test_convergence() -> None:
    found = table("lens", "robustness")
    checked = found[(found["column"] == "") & found["converged"].isin(["yes", "attack not converged"])]
    weak = (checked["converged"] == "attack not converged").sum()
    assert_says(PAGE, f"In {weak} of {len(checked)} cases this took the score down by more than .02")
    losses = {}
    for name, attack, score in (("lens", lens_attack, LENS), ("topk", topk_attack, TOPK)):
        parts = {
            method: raw(score, attack(steps=10), method) - raw(score, attack(), method)
            for method in methods()
        }
        losses[name] = pd.concat(parts)
    median = {name: number(loss.median()) for name, loss in losses.items()}
    assert_says(
        PAGE,
        f"median loss is {median['lens']} of LENS (w = 1) under the LENS-aware attack, and {median['topk']} of top-k",
    )
    largest = pd.concat(losses)
    assert largest.idxmax()[1:] == ("input_x_gradient", "cnn.standard")
    assert_says(PAGE, f"The largest is {number(largest.max())} (`cnn.standard`, input × gradient)")


def test_noise_is_weaker_than_an_attack() -> None:
    assert_says(
        PAGE,
        f"sign noise leaves {spread(raw(TOPK, NOISE) - raw(TOPK, topk_attack()))} more of the top pixels",
    )
    walk = "best_of_random[eps=0.1,step=0.25,steps=10,restarts=1,measure=intersection,k=100]"
    fewer = raw(TOPK, NOISE) - raw(TOPK, walk)
    assert fewer.max() <= 0.03
    assert (fewer < 0).sum() == 3
    assert_says(PAGE, "has at most .03 fewer than sign noise leaves, and on three networks more")
    assert_says(
        PAGE, f"on `cnn.standard` it moves {number(1 - raw(TOPK, NOISE)['cnn.standard'])} of the top pixels"
    )


def test_what_lens_gains_above_chance() -> None:
    attack = topk_attack()
    name = "cnn.standard"
    assert_says(
        PAGE,
        f"LENS raises the attacked `{name}` from {_two_digits(raw(TOPK, attack)[name])}"
        f" to {number(raw(LENS, attack)[name])}, which is less than unrelated maps have"
        f" ({number(chance(LENS, attack)[name])})",
    )
    name = "lipcnn.hkr"
    assert_says(
        PAGE, f"On `{name}` it raises {number(raw(TOPK, attack)[name])} to {number(raw(LENS, attack)[name])}"
    )
    assert_says(
        PAGE, f"above chance, {number(above(TOPK, attack)[name])} becomes {number(above(LENS, attack)[name])}"
    )
    assert_says(PAGE, f"on every network ({spread(above(LENS, NOISE) - above(TOPK, NOISE))})")


def test_an_attack_on_lens() -> None:
    before, after = above(LENS, topk_attack()), above(LENS, lens_attack())
    assert_says(
        PAGE,
        f"from {number(before['lipcnn.hkr'])} to {number(after['lipcnn.hkr'])} on `lipcnn.hkr`, and below chance on",
    )
    assert (after < 0).sum() == 3
    assert_says(PAGE, "below chance on three networks")


def test_diversity() -> None:
    apart = DIVERSE["lens_recall"]
    assert_says(
        PAGE,
        f"unrelated maps share {spread(pd.concat([chance(apart, NOISE), chance(apart, topk_attack())]))}",
    )
    diverse, plain = above(apart, NOISE), above(LENS, NOISE)
    assert (diverse < plain).all()
    shown = {
        name: f"{number(diverse[name])} against {number(plain[name])} on `{name}`"
        for name in ("cnn.standard", "lipcnn.hkr")
    }
    assert_says(PAGE, f"lower than LENS on every network ({shown['cnn.standard']}, {shown['lipcnn.hkr']})")
    assert (above(DIVERSE["topk_intersection"], NOISE) < above(TOPK, NOISE)).all()
    diverse, plain = above(apart, topk_attack()), above(LENS, topk_attack())
    assert (diverse > plain).sum() == 4
    name = "cnn.pgd_linf"
    assert_says(
        PAGE, f"higher on four networks ({number(diverse[name])} against {number(plain[name])} on `{name}`)"
    )


@pytest.mark.parametrize(("method", "shown"), [("saliency", "gradient"), (IG, "integrated gradients")])
@pytest.mark.parametrize("model", ["cnn.standard", "cnn.pgd_linf", "cnn.ig_sum_norm"])
def test_radii_of_adversarial_training(model: str, method: str, shown: str) -> None:
    cells = [number(above(LENS, lens_attack(eps=eps, steps=10), method)[model]) for eps in (0.05, 0.1, 0.2)]
    assert_row(PAGE, f"`{model}`, {shown}", *cells)


@pytest.mark.parametrize(
    "model", ["lipcnn.hkr", "cnn.standard", "cnn.pgd_linf", "lipmlp.hkr", "mlp.standard"]
)
def test_methods_of_each_network(model: str) -> None:
    cells = [
        number(above(LENS, lens_attack(), method)[model])
        for method in (IG, "input_x_gradient", SMOOTH, "saliency")
    ]
    assert_row(PAGE, f"`{model}`", *cells)


def test_chance_hides_what_the_dense_network_loses() -> None:
    left, level = raw(LENS, topk_attack()), chance(LENS, topk_attack())
    assert_says(
        PAGE, f"({number(left['lipmlp.hkr'])}, against {number(left['mlp.standard'])} of `mlp.standard`)"
    )
    assert_says(
        PAGE, f"chance level is {number(level['lipmlp.hkr'])} against {number(level['mlp.standard'])}"
    )


def transfers() -> Iterator[pd.Series]:
    """Top pixels that an attack through another network leaves, less those that the direct one does."""
    for method in methods():
        for eps in RADII:
            direct, transfer = (
                raw(TOPK, topk_attack(eps=eps, steps=10, other=other), method)
                for other in ("", "cnn.standard")
            )
            yield (transfer - direct).drop("cnn.standard").dropna()


def test_attacks_by_transfer() -> None:
    gains = pd.concat(list(transfers()))
    assert (gains > 0).all()
    assert_says(PAGE, f"in all {len(gains)} cases (networks, methods and radii)")
    after = [
        above(LENS, topk_attack(steps=10, other=other)).drop("cnn.standard") for other in ("cnn.standard", "")
    ]
    assert_says(
        PAGE,
        f"LENS above chance is {spread(after[0])} after the transfer, and {spread(after[1])} after the direct attack",
    )


def test_larger_radii_leave_less() -> None:
    for attack, score in ((lens_attack, LENS), (topk_attack, TOPK)):
        for method in methods():
            left = np.stack([raw(score, attack(eps=eps, steps=10), method) for eps in RADII])
            assert np.diff(left, axis=0).max() <= 0.002
    assert_says(PAGE, "nowhere rises with the radius by more than .002")


@pytest.mark.parametrize(
    ("method", "shown"),
    [(SHAP, "GradientSHAP"), (IG, "integrated gradients"), ("deeplift", "DeepLIFT"), (SMOOTH, "SmoothGrad"),
     ("input_x_gradient", "input × gradient")],
)  # fmt: skip
def test_other_methods(method: str, shown: str) -> None:
    left = above(LENS, lens_attack(), method)
    assert_row(PAGE, shown, number(left.min()), number(left.max()))


def test_conditions() -> None:
    changed = 1 - values(TOPK, NOISE, "held")
    assert_says(
        PAGE,
        f"changes {number(changed['cnn.standard'])} of the predictions of `cnn.standard` and"
        f" {number(changed['cnn.pgd_linf'])} of those of `cnn.pgd_linf`",
    )
    pgd = "pgd[eps={},step=0.25,steps=10,restarts=1]".format
    common = {eps: set(values(LENS, pgd(eps), "common_n")).pop() for eps in ("0.05", "0.1")}
    assert_says(PAGE, f"`pgd` leaves {common['0.05']} there, and none at .1")
    assert common["0.1"] == 0
    assert values(LENS, pgd("0.1"), "held")["cnn.standard"] == 0


def test_noise_of_a_large_radius() -> None:
    left = above(LENS, "sign_noise[eps=0.2]")
    lost = left[["cnn.pgd_linf", "cnn.ig_sum_norm"]]
    assert_says(
        PAGE,
        f"({number(lost.iloc[0])} and {number(lost.iloc[1])}); the others keep {spread(left.drop(lost.index))}",
    )
