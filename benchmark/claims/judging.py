"""Judges one part of a claim, as far as it can be judged by itself: its effect, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..statistics.contrasts import Difference
from ..statistics.effects import Effect
from .boundaries import Probabilities, distance, probabilities
from .evidence import Evidence
from .guards import check, last_doubling, not_converged
from .images import Images
from .measuring import sides_of
from .parts import Part
from .reasons import NotTestable
from .rules import RULES
from .rules.registry import Fact
from .sides import Side


@dataclass(frozen=True)
class Judged:
    """What is known of a part.

    Args:
        part: the part.
        effect: None where there is none, and of facts.
        fact: what is true or not without inference, or None.
        sides: what is compared, where there are scores.
        reason: why it cannot be judged, or None.
        doubling: how far the last doubling of an attack's steps moved a mean; NaN where nobody asks.
    """

    part: Part
    effect: Effect | None = None
    fact: Fact | None = None
    sides: tuple[Side, ...] = ()
    reason: NotTestable | None = None
    doubling: float = field(default=np.nan)

    @property
    def n(self) -> int:
        """Images behind each mean; 0 without scores."""
        return len(self.sides[0].score) if self.sides else 0

    @cached_property
    def interval(self) -> Difference:
        """At 95 %, of its effect by itself; NaN without one."""
        return Difference(np.nan, np.nan, np.nan) if self.effect is None else self.effect.interval_each()

    @cached_property
    def probabilities(self) -> Probabilities:
        """Of its effect at the margin; NaN without one."""
        return (
            Probabilities(np.nan, np.nan)
            if self.effect is None
            else probabilities(self.effect, self.part.rule)
        )

    @property
    def tested(self) -> bool:
        """Whether there is a probability of its effect: it is then one of the hypotheses of the page."""
        return self.effect is not None and self.effect.fewest > 1


def judge(part: Part, images: Images, evidence: Evidence) -> Judged:
    """Judges a part.

    Args:
        part: the part.
        images: those that count.
        evidence: the scores.
    """
    judged = Judged(part)
    try:
        for known in _steps(part, images, evidence):
            judged = known
    except NotTestable as reason:
        return replace(judged, reason=reason)
    return judged


def _steps(part: Part, images: Images, evidence: Evidence) -> Iterator[Judged]:
    """What is known of a part, step by step.

    Raises:
        NotTestable: a step cannot be taken.
    """
    chosen = images.of(part) if part.sources else None
    sides = tuple(sides_of(part, evidence, chosen)) if part.sources else ()
    found = RULES[part.rule.kind].judge(sides, part.rule)
    if isinstance(found, Fact):
        yield Judged(part, fact=found, sides=sides)
        return
    judged = Judged(part, effect=found, sides=sides)
    yield judged
    margin = distance(found.value, part.rule)
    for guard in part.rule.guards:
        if not guard.half:
            check(part, guard, evidence, chosen)
            continue
        doubling = last_doubling(part, guard.half, evidence, chosen)
        yield replace(judged, doubling=doubling)
        if doubling > margin:
            raise not_converged(doubling, margin)
    if alone := list(dict.fromkeys(side.source for side in sides if len(side.networks) == 1)):
        recipes = list(dict.fromkeys(source.recipe for source in alone))
        why = f"one network of {' and '.join(recipes)}: images only"
        raise NotTestable(why, "networks of other seeds", alone, train=True)
