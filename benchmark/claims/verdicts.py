"""Verdicts on the claims of a file together: a false one among all of them has a probability of 5 % at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..statistics.holm import Tested, holm
from ..statistics.means import LEVEL
from .boundaries import HOLDS, MIXED, NOT, UNDECIDED, verdict
from .declaration import NOT_TESTABLE, Claim
from .judging import Judged

WHOLE = 1 - LEVEL
"""Probability of a false verdict among all claims of a file."""


@dataclass(frozen=True)
class Verdict:
    """What is said of a claim.

    Args:
        claim: the claim.
        parts: what is known of each part, those that count first.
        word: the verdict, which holds for all claims of the file together.
        alone: the one that its own intervals at 95 % give.
        words: of the parts, at the level of the claim.
        words_alone: of the parts, by their intervals at 95 %.
        p: probability at which the claim would just be decided, by itself; NaN where nothing is tested.
        tested: what becomes of it among the others; None where nothing is tested.
    """

    claim: Claim
    parts: tuple[Judged, ...]
    word: str
    alone: str
    words: tuple[str, ...]
    words_alone: tuple[str, ...]
    p: float = float("nan")
    tested: Tested | None = None

    @property
    def level(self) -> float:
        """Confidence level of the intervals by which its parts are judged."""
        return LEVEL if self.tested is None else 1 - self.tested.level


def decide(claims: Sequence[tuple[Claim, Sequence[Judged]]]) -> list[Verdict]:
    """A verdict on each claim; they hold together by Holm's test of those that have a probability.

    Args:
        claims: each with its parts.
    """
    p = {claim.id: _probability(parts) for claim, parts in claims if _is_tested(parts)}
    # claims of the same probability are told apart by their names, so that their order in the file has no say
    ids = sorted(p)
    tested = dict(zip(ids, holm([p[each] for each in ids], WHOLE), strict=True))
    return [
        _verdict(claim, tuple(parts), p.get(claim.id, float("nan")), tested.get(claim.id))
        for claim, parts in claims
    ]


def _counting(parts: Sequence[Judged]) -> list[Judged]:
    return [judged for judged in parts if judged.part.counts]


def _is_tested(parts: Sequence[Judged]) -> bool:
    """Whether one of the parts that count has a probability, whether or not it can be judged after all."""
    return any(judged.tested for judged in _counting(parts))


def _probability(parts: Sequence[Judged]) -> float:
    """At which a claim is just decided: that it holds in all parts, in none of them, or not in one of them.

    For the first two all parts must be judged and speak for the verdict, so the least sure of them decides. For the
    third, one is picked among all of them, and their number is accounted for.
    """
    effects = [judged for judged in _counting(parts) if judged.fact is None]
    found = [
        judged.probabilities for judged in effects if judged.effect is not None and judged.reason is None
    ]
    if not found:
        return 1.0
    holds, fails = ([getattr(each, name) for each in found] for name in ("holds", "fails"))
    refuted = len(found) * min(fails)
    alike = min(max(holds), max(fails)) if len(found) == len(effects) else 1.0
    return min(1.0, alike, refuted)


def _verdict(claim: Claim, parts: tuple[Judged, ...], p: float, tested: Tested | None) -> Verdict:
    alone = tuple(_alone(judged) for judged in parts)
    if claim.verdict:
        return Verdict(claim, parts, claim.verdict, claim.verdict, (), ())
    level = tested.level if tested else WHOLE
    words = tuple(_at(judged, level) for judged in parts)
    if together(words, parts) in (MIXED, NOT) and len(_found(words, parts)) > 1:
        stricter = level / max(sum(judged.tested for judged in _counting(parts)), 1)
        words = tuple(_at(judged, stricter) for judged in parts)
    return Verdict(claim, parts, together(words, parts), together(alone, parts), words, alone, p, tested)


def together(words: Sequence[str], parts: Sequence[Judged]) -> str:
    """The verdict on a claim, of those on its parts.

    It says that all of them hold, so one that does not is enough against it, whatever is known of the others.
    """
    found = _found(words, parts)
    if {HOLDS, NOT} <= found:
        return MIXED
    return next(word for word in (NOT, NOT_TESTABLE, UNDECIDED, HOLDS) if word in found)


def _found(words: Sequence[str], parts: Sequence[Judged]) -> set[str]:
    return {word for word, judged in zip(words, parts, strict=True) if judged.part.counts}


def _fixed(judged: Judged) -> str:
    """The verdict on a part that no interval gives; empty otherwise."""
    if judged.fact is not None:
        return HOLDS if judged.fact.holds else NOT
    return NOT_TESTABLE if judged.reason is not None or judged.effect is None else ""


def _at(judged: Judged, level: float) -> str:
    """The verdict on a part, with that probability that it is false."""
    if (word := _fixed(judged)) or judged.effect is None:
        return word
    found = judged.probabilities
    return HOLDS if found.holds <= level else NOT if found.fails <= level else UNDECIDED


def _alone(judged: Judged) -> str:
    """The verdict on a part by its own interval at 95 %."""
    if (word := _fixed(judged)) or judged.effect is None:
        return word
    return verdict(judged.interval, judged.part.rule)
