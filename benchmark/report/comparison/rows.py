"""One row of a comparison: a difference with its interval, the verdict, and what more samples would tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...statistics.differences import Differences, inflated
from ...statistics.rare import FEWEST, UNSEEN
from ...statistics.recipes import recipe_difference
from ...statistics.skewness import TOLERATED
from ...toolkit.labels import read_trained
from ...toolkit.wording import counted
from ..leaderboard import SKEWED
from ..sides import IMAGES, NO_SAMPLE, SEEDS
from .contests import Contest
from .question import Question

BETTER, WORSE, SAME, OPEN = "better", "worse", "same within the margin", "not told apart"


def of_samples(
    contest: Contest, question: Question, mine: str, rival: str, states: Mapping[str, str]
) -> dict[str, Any]:
    """A row about two methods, or two trained networks; nothing where neither has scores.

    Args:
        contest: the column.
        question: what is asked.
        mine: the side that it is asked of.
        rival: the other.
        states: why a side has no scores here, by name.
    """
    if mine not in contest.rivals and rival not in contest.rivals:
        return {}
    a, b = contest.place(mine), contest.place(rival)
    if a is None or b is None:
        return _without_scores(IMAGES, _why_not(contest, mine if a is None else rival, states))
    found, mean = contest.found, contest.sign * contest.column.means.mean
    bounds = sorted((contest.sign * found.low[a, b], contest.sign * found.high[a, b]))
    verdict = _verdict(question, bounds, better=found.better[a, b], worse=found.better[b, a])
    return {
        "mean": mean[a], "mean_against": mean[b], "effect": contest.sign * found.effect[a, b],
        "ci_low": bounds[0], "ci_high": bounds[1], "n": found.n, "verdict": verdict,
        "smallest_difference": found.smallest()[a, b] or np.nan,
        "samples_needed": _samples(found.samples(question.margin or 0)[a, b], bounds) if verdict == OPEN else np.nan,
        "unit": IMAGES, "note": _note(contest, found, mine, rival, verdict), "rivals": len(mean),
    }  # fmt: skip


def of_recipes(
    contest: Contest, question: Question, mine: str, rival: str, states: Mapping[str, str]
) -> dict[str, Any]:
    """A row about two recipes, by all networks of each that have scores; see :func:`of_samples`."""
    one, other = (_networks(contest, name) for name in (mine, rival))
    if not (len(one) or len(other)):
        return {}
    if not (len(one) and len(other)):
        return _without_scores(SEEDS, _why_not(contest, rival if len(one) else mine, states))
    found, mean = (
        recipe_difference(contest.column.means, one, other),
        contest.sign * contest.column.means.mean,
    )
    bounds = sorted((contest.sign * found.low, contest.sign * found.high))
    known = min(len(one), len(other)) > 1
    note = f"networks: {len(one)} against {len(other)}"
    return {
        "mean": mean[one].mean(), "mean_against": mean[other].mean(), "effect": contest.sign * found.effect,
        "ci_low": bounds[0], "ci_high": bounds[1], "n": contest.found.n,
        "verdict": _verdict(question, bounds, better=found.low > 0, worse=found.high < 0) if known else "",
        "unit": SEEDS, "note": note if known else f"{note}; one network says nothing about its recipe",
    }  # fmt: skip


def _without_scores(unit: str, note: str) -> dict[str, Any]:
    return {"n": 0, "verdict": "", "unit": unit, "note": note}


def _why_not(contest: Contest, name: str, states: Mapping[str, str]) -> str:
    if not contest.found.n:
        return NO_SAMPLE
    if name in contest.rivals:
        return f"{name} lacks more than 5 % of the samples"
    return f"{name} has no scores here: {states.get(name, 'not in the run')}"


def _samples(needed: float, bounds: list[float]) -> float:
    """Not known where nothing can be said of the difference; infinite for one of 0."""
    return needed if math.isfinite(bounds[0]) else np.nan


def _verdict(question: Question, bounds: list[float], *, better: bool, worse: bool) -> str:
    if question.margin is not None and -question.margin < bounds[0] and bounds[1] < question.margin:
        return SAME
    return BETTER if better else WORSE if worse else OPEN


def _note(contest: Contest, found: Differences, mine: str, rival: str, verdict: str) -> str:
    """What is to be known of a verdict."""
    a, b = (contest.rivals.index(name) for name in (mine, rival))
    rare = " and ".join(name for name, at in ((mine, a), (rival, b)) if contest.ranks.rare[at])
    a, b = (int(contest.column.rows[:at].sum()) for at in (a, b))
    low, high = found.low[a, b], found.high[a, b]
    equal = low == high == 0
    return "; ".join(filter(None, [
        f"{rare}: fewer than {FEWEST} samples differ from the most frequent score, so that"
        f" {_guard(found, contest.column.means.weight[:, [a, b]], found.needed[a, b])}" if rare else "",
        SKEWED if contest.ranks.error > TOLERATED else "",
        "too few samples for any verdict" if math.isinf(inflated(found.critical, found.n)) and not equal else "",
        "equal scores on all samples" if equal else "",
        "the interval, of the first step of the test, holds 0; a later step tells the two apart"
        if verdict in (BETTER, WORSE) and low <= 0 <= high else "",
    ]))  # fmt: skip


def _guard(found: Differences, weight: np.ndarray, needed: float) -> str:
    if math.isinf(needed):
        return "nothing is claimed: the metric declares no range"
    if (
        UNSEEN * np.abs(weight).max() >= found.n
    ):  # the samples not seen yet could undo the greatest difference
        return f"nothing can be claimed from {counted(found.n, 'sample')}"
    return f"only a difference beyond {needed:.3g} counts"


def _networks(contest: Contest, recipe: str) -> np.ndarray:
    """Where the networks of a recipe stand among those that can be compared."""
    named = (contest.place(name) for name in contest.rivals if read_trained(name).recipe == recipe)
    return np.array([place for place in named if place is not None], dtype=int)
