"""One row of a comparison: a difference with its interval, the verdict, and what more samples would tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...statistics.differences import inflated
from ...statistics.recipes import recipe_difference
from ...statistics.skewness import TOLERATED
from ...toolkit.labels import read_trained
from ..sides import IMAGES, SEEDS
from .contests import Contest
from .question import Question

BETTER, WORSE, SAME, OPEN = "better", "worse", "same within the margin", "not told apart"


def of_samples(
    contest: Contest, question: Question, mine: str, rival: str, states: Mapping[str, str], together: float
) -> dict[str, Any]:
    """A row about two methods, or two trained networks; nothing where neither has scores.

    Args:
        contest: the column.
        question: what is asked.
        mine: the side that it is asked of.
        rival: the other.
        states: why a side has no scores here, by name.
        together: what differences are compared with if all columns are taken together.
    """
    if mine not in contest.rivals and rival not in contest.rivals:
        return {}
    a, b = contest.place(mine), contest.place(rival)
    if a is None or b is None:
        return {
            "n": 0,
            "verdict": "",
            "unit": IMAGES,
            "note": _why_not(contest, mine if a is None else rival, states),
        }
    found, mean = contest.found, contest.sign * contest.column.means.mean
    low, high = found.low[a, b], found.high[a, b]
    better, worse = found.better[a, b], found.better[b, a]
    critical = found.critical
    if question.columns_together:
        critical = max(critical, inflated(together, found.n))
        half = max(
            critical * found.error[a, b] if math.isfinite(critical) else math.inf, contest.column.needed[a, b]
        )
        low, high = found.effect[a, b] - half, found.effect[a, b] + half
        better, worse = low > 0, high < 0
    bounds = sorted((contest.sign * low, contest.sign * high))
    verdict = _verdict(question, bounds, better=better, worse=worse)
    reach = found._replace(critical=critical)
    return {
        "mean": mean[a], "mean_against": mean[b], "effect": contest.sign * found.effect[a, b],
        "ci_low": bounds[0], "ci_high": bounds[1], "n": found.n, "verdict": verdict,
        "smallest_difference": reach.smallest(contest.column.needed)[a, b],
        "samples_needed": reach.samples(contest.column.needed)[a, b] if verdict == OPEN else np.nan,
        "unit": IMAGES, "note": _note(contest, mine, rival, bounds, verdict),
    }  # fmt: skip


def _verdict(question: Question, bounds: list[float], *, better: bool, worse: bool) -> str:
    if question.margin is not None and -question.margin < bounds[0] and bounds[1] < question.margin:
        return SAME
    return BETTER if better else WORSE if worse else OPEN


def _why_not(contest: Contest, name: str, states: Mapping[str, str]) -> str:
    if name not in contest.rivals:
        return f"{name} has no scores here: {states.get(name, 'not asked for')}"
    return f"{name}: more than 5 % of the samples are missing"


def _note(contest: Contest, mine: str, rival: str, bounds: list[float], verdict: str) -> str:
    """What is to be known of a verdict."""
    rare = [name for name in (mine, rival) if contest.ranks.rare[contest.rivals.index(name)]]
    error = contest.ranks.error
    later = verdict in (BETTER, WORSE) and bounds[0] <= 0 <= bounds[1]
    return "; ".join(filter(None, [
        f"fewer than 20 samples differ from the most frequent score of {' and '.join(rare)}" if rare else "",
        f"too few samples for the skewness: verdicts may err with probability {error:.2f}" if error > TOLERATED else "",
        "told apart in a later step of the test than the interval is of" if later else "",
    ]))  # fmt: skip


def of_recipes(contest: Contest, question: Question, mine: str, rival: str) -> dict[str, Any]:
    """A row about two recipes, by all networks of each that have scores; see :func:`of_samples`."""
    one, other = (_networks(contest, read_trained(name).recipe) for name in (mine, rival))
    if not (len(one) or len(other)):
        return {}
    if not (len(one) and len(other)):
        return {"n": 0, "verdict": "", "unit": SEEDS, "note": "one of the recipes has no scores here"}
    found = recipe_difference(contest.column.means, one, other)
    bounds = sorted((contest.sign * found.low, contest.sign * found.high))
    known = min(len(one), len(other)) > 1
    few = "" if known else "; one network says nothing about its recipe"
    return {
        "mean": contest.sign * contest.column.means.mean[one].mean(),
        "mean_against": contest.sign * contest.column.means.mean[other].mean(),
        "effect": contest.sign * found.effect, "ci_low": bounds[0], "ci_high": bounds[1], "n": contest.found.n,
        "verdict": _verdict(question, bounds, better=found.low > 0, worse=found.high < 0) if known else "",
        "unit": SEEDS, "note": f"networks: {len(one)} against {len(other)}{few}",
    }  # fmt: skip


def _networks(contest: Contest, recipe: str) -> np.ndarray:
    """Where the networks of a recipe stand among those that can be compared."""
    named = (contest.place(name) for name in contest.rivals if read_trained(name).recipe == recipe)
    return np.array([place for place in named if place is not None], dtype=int)
