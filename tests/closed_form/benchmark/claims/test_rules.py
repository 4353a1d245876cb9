"""Each kind of rule against its formula, written out by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats
from xaiboard.benchmark.claims.boundaries import HOLDS, NOT, UNDECIDED, distance, probabilities, verdict
from xaiboard.benchmark.claims.declaration import Rule
from xaiboard.benchmark.claims.rules import RULES
from xaiboard.benchmark.claims.rules.registry import Fact
from xaiboard.benchmark.claims.sides import Side, Source
from xaiboard.benchmark.statistics.contrasts import Difference
from xaiboard.benchmark.statistics.effects import Effect
from xaiboard.benchmark.statistics.means import means


def side(
    recipe: str, levels: list[float], *, noise: float = 0.0, n: int = 50, seed: int = 0, of: str = ""
) -> Side:
    """Networks of those means, with noise of the images on top."""
    drawn = noise * np.random.default_rng(seed).normal(size=(n, len(levels)))
    score = np.array(levels) + drawn - drawn.mean(0)
    found = means(score, np.ones_like(score))
    names = tuple(f"{recipe}.{number}" for number in range(len(levels)))
    return Side(Source(recipe, of, "gini", ""), names, found.mean, found.influence, score, 0)


def judge(kind: str, *sides: Side) -> Effect:
    found = RULES[kind].judge(sides, Rule(kind))
    assert isinstance(found, Effect)
    return found


A, B, C = [0.5, 0.7, 0.6], [0.1, 0.2, 0.3, 0.2], [0.25, 0.35, 0.3]


def test_pair_is_welch_s_difference_of_recipes() -> None:
    found = judge("pair", side("a", A), side("b", B))
    known = stats.ttest_ind(A, B, equal_var=False).confidence_interval(0.95)
    assert found.value == pytest.approx(0.4)
    assert (found.interval(0.95).low, found.interval(0.95).high) == pytest.approx((known.low, known.high))


@pytest.mark.parametrize("kind", ["pair_methods", "pair_columns", "pair_perturbations"])
def test_pairs_on_the_same_networks_are_of_each_network(kind: str) -> None:
    found = judge(kind, side("a", A, of="x"), side("a", C, of="y"))
    known = stats.ttest_rel(A, C).confidence_interval(0.95)
    assert (found.interval(0.95).low, found.interval(0.95).high) == pytest.approx((known.low, known.high))


def test_best_of_is_the_least_difference_to_a_rival() -> None:
    found = judge("best_of", side("a", A), side("b", B), side("b", [0.3, 0.4, 0.4, 0.5]))
    assert found.value == pytest.approx(0.6 - 0.4)
    pairs = [judge("pair", side("a", A), side("b", rival)) for rival in (B, [0.3, 0.4, 0.4, 0.5])]
    assert found.p_above(0) == max(each.p_above(0) for each in pairs)


def test_order_is_the_least_step() -> None:
    found = judge("order", side("b", B), side("c", C), side("a", A))
    assert found.value == pytest.approx(0.1)
    assert judge("order", side("c", C), side("b", B), side("a", A)).value == pytest.approx(-0.1)
    steps = [judge("pair", side("c", C), side("b", B)), judge("pair", side("a", A), side("c", C))]
    assert found.p_above(0) == max(each.p_above(0) for each in steps)


def test_level_is_student_s_interval_of_the_networks() -> None:
    found = judge("level", side("a", A))
    known = stats.ttest_1samp(A, 0).confidence_interval(0.95)
    assert (found.interval(0.95).low, found.interval(0.95).high) == pytest.approx((known.low, known.high))


def test_level_without_variance_of_networks_is_that_of_the_images() -> None:
    one = side("a", [0.6], noise=0.2)
    same = one._replace(
        mean=one.mean.repeat(3), influence=one.influence.repeat(3, 1), score=one.score.repeat(3, 1)
    )
    known = stats.ttest_1samp(one.score[:, 0], 0).confidence_interval(0.95)
    found = judge("level", same).interval(0.95)
    assert (found.low, found.high) == pytest.approx((known.low, known.high))


def test_ratio_by_the_formula_for_its_variance() -> None:
    """``var(a / b) = var(a) / b² + a² var(b) / b⁴``, of means."""
    one, other = side("a", A, noise=0.1), side("b", B, noise=0.1, seed=1)
    found = judge("ratio", one, other).least
    a, b = np.mean(A), np.mean(B)
    assert found.effect == pytest.approx(a / b)
    assert found.variances()[:2] == pytest.approx([
        np.var(A, ddof=1) / 3 / b**2, a**2 * np.var(B, ddof=1) / 4 / b**4,
    ])  # fmt: skip
    images = one.score.mean(1) / b - a * other.score.mean(1) / b**2
    assert found.variances()[2] == pytest.approx(images.var(ddof=1) / 50)


def test_share_by_counting_every_pair() -> None:
    one, other = side("a", A, noise=0.5, n=20), side("b", B, noise=0.5, n=20, seed=1)
    above = np.zeros((20, 3, 4))
    for image, first, second in product(range(20), range(3), range(4)):
        above[image, first, second] = one.score[image, first] > other.score[image, second]
    found = judge("share", one, other).least
    assert found.effect == pytest.approx(above.mean())
    assert found.variances() == pytest.approx([
        above.mean((0, 2)).var(ddof=1) / 3, above.mean((0, 1)).var(ddof=1) / 4, above.mean((1, 2)).var(ddof=1) / 20,
    ])  # fmt: skip


def test_a_certificate_fails_by_one_image_of_one_network() -> None:
    radius, distance = side("a", [0.5, 0.5]), side("a", [0.6, 0.6])
    assert RULES["certificate"].judge((radius, distance), Rule("certificate", m=1e-4)) == Fact(
        holds=True, why="0 of 100 pairs of an image and a network contradict it"
    )
    radius.score[3, 1] = 0.61
    found = RULES["certificate"].judge((radius, distance), Rule("certificate", m=1e-4))
    assert isinstance(found, Fact)
    assert (found.holds, found.contradicted) == (False, 1)
    radius.score[3, 1] = 0.60005
    assert RULES["certificate"].judge((radius, distance), Rule("certificate", m=1e-4)).holds  # type: ignore[union-attr]


def test_a_theorem_names_its_test() -> None:
    found = RULES["theorem"].judge((), Rule("theorem", theorem="tests/theory/test_one_layer.py::test_x"))
    assert isinstance(found, Fact)
    assert found.holds
    assert "tests/theory/test_one_layer.py::test_x" in found.why


@pytest.mark.parametrize(
    ("holds", "low", "high", "word"),
    [
        ("above", 0.11, 0.2, HOLDS), ("above", 0.0, 0.09, NOT), ("above", 0.0, 0.2, UNDECIDED),
        ("below", 0.0, 0.09, HOLDS), ("below", 0.11, 0.2, NOT), ("below", 0.0, 0.2, UNDECIDED),
        ("within", 0.45, 0.55, HOLDS), ("within", 0.3, 0.39, NOT), ("within", 0.61, 0.7, NOT),
        ("within", 0.3, 0.55, UNDECIDED), ("above", np.nan, np.nan, UNDECIDED),
    ],
)  # fmt: skip
def test_a_verdict_is_where_the_whole_interval_is(holds: str, low: float, high: float, word: str) -> None:
    rule = Rule("pair", holds=holds, m=0.1, around=0.5 if holds == "within" else 0)
    assert verdict(Difference((low + high) / 2, low, high), rule) == word


@pytest.mark.parametrize(("holds", "around"), [("above", 0.0), ("below", 0.0), ("within", 0.3)])
def test_probabilities_agree_with_intervals(holds: str, around: float) -> None:
    """The verdict at a level is that of the interval at that level."""
    effect = judge("pair", side("a", A, noise=0.3), side("b", B, noise=0.3, seed=1))
    for m, level in product((0.02, 0.2, 0.35, 0.6), (0.5, 0.05, 0.001)):
        rule = Rule("pair", holds=holds, m=m, around=around)
        found = probabilities(effect, rule)
        word = HOLDS if found.holds < level else NOT if found.fails < level else UNDECIDED
        assert word == verdict(effect.interval(1 - level), rule)


def test_distance_is_to_the_next_bound() -> None:
    assert distance(0.3, Rule("pair", m=0.1)) == pytest.approx(0.2)
    assert distance(0.3, Rule("pair", m=0.1, holds="within", around=0.5)) == pytest.approx(0.1)
