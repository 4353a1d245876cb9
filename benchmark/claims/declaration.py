"""A claim as it is declared before looking: what is compared, on which images, and what would count as true."""

from __future__ import annotations

from dataclasses import dataclass

NOT_TESTABLE = "not testable here"
"""The verdict where nothing can be said, and the only one that may be declared."""

ABOVE, BELOW, WITHIN = "above", "below", "within"
"""What a claim says of its effect: more than ``m``, less than ``m``, or at most ``m`` away from ``around``."""

ALL, COMMON, HELD = "all", "common", "held"
"""Images that count: all, those that every network of the claim classifies correctly, and of these those whose
prediction no perturbation of the claim changes on any of them."""


@dataclass(frozen=True)
class Guard:
    """What must be true of the scores, or nothing is said.

    Args:
        column: whose mean is looked at; empty for the column of the claim itself.
        at_least: each side's mean must be so large.
        ceiling: one side's mean must be so small at least: beyond it there is nothing to tell apart.
        differ_at_most: the means of the sides may differ by so much, over all images.
        half: settings of the same attack with half its steps, as ``steps=50``: the last doubling may not move any
            side's mean by more than the effect is away from the margin.
    """

    column: str = ""
    at_least: float | None = None
    ceiling: float | None = None
    differ_at_most: float | None = None
    half: str = ""


@dataclass(frozen=True)
class Rule:
    """A comparison, on several data sets, by several columns and so on; it must come out the same in each.

    Args:
        kind: name of a rule of the registry.
        datasets: on each.
        a: recipes of networks; all seeds of each take part.
        b: those that they are compared with, their twins in order; one counts for all.
        networks: recipes, where the two sides are the same networks.
        order: what ``over`` says, from the worst to the best.
        over: ``networks``, ``methods``, ``columns`` or ``perturbations``.
        methods: explanations; none for columns of the networks themselves.
        against: methods of the other side, for ``best_of``.
        columns: of metrics, ``deletion.win_rate[baseline=zero]``; a setting that is not named has its default.
        perturbations: likewise; none for columns without one.
        on: which images count.
        m: the margin.
        holds: ``above``, ``below`` or ``within``.
        around: the value from which ``within`` measures.
        lower: whether lower scores are better; then the sign of the effect is turned.
        beyond: thresholds; in place of a score stands whether it is greater.
        guards: conditions.
        theorem: of the test that proves it, ``tests/theory/test_one_layer.py::test_name``.
        text: what a further rule says.
    """

    kind: str
    datasets: tuple[str, ...] = ()
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    over: str = "networks"
    methods: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    perturbations: tuple[str, ...] = ()
    on: str = ""
    m: float = 0.0
    holds: str = ABOVE
    around: float = 0.0
    lower: bool = False
    beyond: tuple[float, ...] = ()
    guards: tuple[Guard, ...] = ()
    theorem: str = ""
    text: str = ""


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper, with what decides it here.

    Args:
        id: by which it is named.
        paper: number on arXiv, or another name.
        text: the sentence.
        version: raised when a rule changes.
        rules: it holds only if each of them does.
        beside: rules that are shown beside it and decide nothing.
        paper_effect: that the paper reports, in the direction of the claim.
        paper_says: the same in the paper's numbers.
        verdict: :data:`NOT_TESTABLE` where nothing here can decide it.
        why: the reason of that.
        settle: what would settle it.
        suite: those that make the scores.
    """

    id: str
    paper: str
    text: str
    version: int
    rules: tuple[Rule, ...] = ()
    beside: tuple[Rule, ...] = ()
    paper_effect: float | None = None
    paper_says: str = ""
    verdict: str = ""
    why: str = ""
    settle: str = ""
    suite: tuple[str, ...] = ()
