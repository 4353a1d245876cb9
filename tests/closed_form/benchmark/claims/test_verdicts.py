"""Claims together: parts make a claim, and a false verdict among all claims is rare."""

from __future__ import annotations

import numpy as np
import pytest
from xaiboard.benchmark.claims.boundaries import HOLDS, MIXED, NOT, UNDECIDED
from xaiboard.benchmark.claims.declaration import NOT_TESTABLE, Claim, Rule
from xaiboard.benchmark.claims.judging import Judged
from xaiboard.benchmark.claims.parts import Part
from xaiboard.benchmark.claims.reasons import NotTestable
from xaiboard.benchmark.claims.rules.registry import Fact
from xaiboard.benchmark.claims.settling import settled_by
from xaiboard.benchmark.claims.summary import deciding
from xaiboard.benchmark.claims.verdicts import Verdict, decide
from xaiboard.benchmark.statistics.contrasts import Contrast, Networks
from xaiboard.benchmark.statistics.effects import Effect

RULE = Rule("pair")


def part(
    effect: float, error: float = 0.1, *, networks: int = 5, counts: bool = True, reason: str = ""
) -> Judged:
    """A part whose effect has that standard error, by the choice of the networks alone."""
    places = np.linspace(-1, 1, networks) if networks > 1 else np.zeros(1)
    spread = error * np.sqrt(networks) / (places.std(ddof=1) if networks > 1 else 1)
    found = Effect((Contrast((Networks(effect + spread * places, np.zeros((40, networks)), 0),)),))
    why = NotTestable(reason, "more") if reason else None
    return Judged(Part(RULE, "d", counts=counts), effect=found, reason=why)


def claim(name: str) -> Claim:
    return Claim(name, "paper", "text", 1, rules=(RULE,))


def words(**parts: list[Judged]) -> dict[str, str]:
    found = decide([(claim(name), judged) for name, judged in parts.items()])
    return {verdict.claim.id: verdict.word for verdict in found}


def fact(*, holds: bool) -> Judged:
    return Judged(Part(RULE, "d"), fact=Fact(holds, "counted"))


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([part(1), part(2)], HOLDS),
        ([part(-1), part(-2)], NOT),
        ([part(1), part(-1)], MIXED),
        ([part(1), part(0.1)], UNDECIDED),
        ([part(-1), part(0.1)], NOT),
        ([part(-1), part(1, networks=1, reason="one network")], NOT),
        ([part(-0.32), part(0.1)], UNDECIDED),
        ([part(1), part(-1), part(0.1)], MIXED),
        ([part(1), part(1, networks=1, reason="one network")], NOT_TESTABLE),
        ([part(1, reason="not converged"), part(0.1)], NOT_TESTABLE),
        ([part(1), part(-1), part(1, reason="not converged")], MIXED),
        ([part(1), part(-1, counts=False)], HOLDS),
        ([fact(holds=True), part(1)], HOLDS),
        ([fact(holds=False), part(1)], MIXED),
        ([fact(holds=False)], NOT),
    ],
)
def test_a_claim_holds_if_each_of_its_parts_does(parts: list[Judged], word: str) -> None:
    assert words(P=parts) == {"P": word}
    assert words(P=parts[::-1]) == {"P": word}


def test_what_is_decided_alone_may_be_undecided_among_many() -> None:
    """At 3.5 standard errors of five networks: p = .025 by itself, .125 among ten."""
    found = decide([(claim(f"P{number}"), [part(0.35)]) for number in range(10)])
    assert {verdict.alone for verdict in found} == {HOLDS}
    assert {verdict.word for verdict in found} == {UNDECIDED}
    assert words(P=[part(0.35)]) == {"P": HOLDS}
    assert all(
        verdict.tested and verdict.tested.adjusted == pytest.approx(5 * verdict.p) for verdict in found
    )


def test_claims_that_are_sure_leave_more_for_the_others() -> None:
    """The last of four is tried with .05, and the first with .05 / 2, where it would not do."""
    sure, unsure = ({name: [part(effect)] for name in "abc"} for effect in (50, 0.0))
    assert words(**sure, other=[part(0.32)])["other"] == HOLDS
    assert words(**unsure, other=[part(0.32)])["other"] == UNDECIDED


def test_facts_and_what_cannot_be_tested_are_no_hypotheses() -> None:
    alone = words(other=[part(0.32)])
    others = {f"fact{number}": [fact(holds=True)] for number in range(3)}
    others |= {f"one{number}": [part(1, networks=1, reason="one network")] for number in range(3)}
    assert words(**others, other=[part(0.32)])["other"] == alone["other"] == HOLDS


def test_an_attack_that_has_not_converged_is_a_hypothesis_all_the_same() -> None:
    """Whether it has converged depends on the effect, so leaving it out would favour the others."""
    attacks = {f"attack{number}": [part(1, reason="not converged")] for number in range(3)}
    assert words(**attacks, other=[part(0.32)])["other"] == UNDECIDED


def test_mixed_verdicts_pay_for_the_choice_of_their_parts() -> None:
    """Two parts of the same kind are needed for one level, one of each of two for half of it."""
    assert words(P=[part(0.32), part(0.32)]) == {"P": HOLDS}
    assert words(P=[part(0.32), part(-0.32)]) == {"P": UNDECIDED}
    alike, mixed = (decide([(claim("P"), [part(0.32), part(other)])])[0] for other in (0.32, -0.32))
    assert mixed.p == pytest.approx(2 * alike.p)


def test_the_order_of_claims_has_no_say() -> None:
    parts = {f"P{number}": [part(effect)] for number, effect in enumerate((0.3, 0.5, 0.7, 0.3, -0.9, 0.0))}
    assert words(**parts) == words(**dict(reversed(parts.items())))


def test_a_declared_verdict_stays() -> None:
    declared = Claim("P", "paper", "text", 1, verdict=NOT_TESTABLE, why="no data", settle="data")
    assert [verdict.word for verdict in decide([(declared, [])])] == [NOT_TESTABLE]


def test_the_numbers_of_a_claim_are_those_of_its_least_sure_part() -> None:
    def shown(*parts: Judged) -> int | None:
        return deciding(decide([(claim("P"), parts)])[0])

    assert shown(part(2), part(1), part(3)) == 1
    assert shown(part(-2), part(-1), part(-3)) == 1
    assert shown(part(2), part(-1), part(-3)) == 1
    assert shown(part(2), part(0.1), part(1)) == 1
    assert shown(part(2), part(0.1, counts=False)) == 0


def test_so_many_networks_settle_it() -> None:
    """With that many networks of the same spread the effect is ``t(.975) + t(.8)`` standard errors from the margin."""
    from scipy import stats

    judged = part(0.15, 0.1, networks=5)
    said = settled_by(judged, 0.95)
    assert said.startswith("about ")
    needed = int(said.split()[1])

    def reach(number: int) -> float:
        return (stats.t.ppf(0.975, number - 1) + stats.t.ppf(0.8, number - 1)) * 0.1 * (5 / number) ** 0.5

    assert reach(needed) <= 0.15 < reach(needed - 1)
    assert settled_by(part(1e-6), 0.95).startswith("nothing within reach")


def test_each_step_of_an_order_must_be_settled() -> None:
    """The least step is nearest to the margin, but it is the other one that varies."""
    steps = [part(0.5, 0.01).effect, part(0.6, 0.4).effect]
    least = Effect(tuple(step.least for step in steps if step))
    said = settled_by(Judged(Part(RULE, "d"), effect=least), 0.95)
    assert said == settled_by(part(0.6, 0.4), 0.95) != settled_by(part(0.5, 0.01), 0.95)


def test_more_images_are_asked_for_where_networks_do_not_help() -> None:
    rng = np.random.default_rng(0)
    influence = rng.normal(size=(100, 1)).repeat(5, 1)
    same = Networks(np.full(5, 0.15), influence - influence.mean(0), 0)
    said = settled_by(Judged(Part(RULE, "d"), effect=Effect((Contrast((same,)),))), 0.95)
    assert said == "about 5 networks and about 400 images"


def test_verdicts_name_the_level_of_their_intervals() -> None:
    verdict: Verdict = decide([(claim(name), [part(float(name == "P"))]) for name in "PQRS"])[0]
    assert verdict.level == pytest.approx(1 - 0.05 / 2)
