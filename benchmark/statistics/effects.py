"""Effects on recipes and what is known of them: intervals at any level, and how probable they are beyond a bound."""

from __future__ import annotations

from typing import NamedTuple

from .contrasts import Contrast, Difference, p_above, p_below, student
from .means import LEVEL
from .recipes import effect_of_recipes


class Effect(NamedTuple):
    """The least of some contrasts, in most cases of a single one.

    That all of them are above a bound is what its lower bound says, which therefore needs no correction for their
    number; the upper bound, that one of them is below, does.
    """

    contrasts: tuple[Contrast, ...]

    @property
    def least(self) -> Contrast:
        """The one on which it depends."""
        return min(self.contrasts, key=lambda contrast: contrast.effect)

    @property
    def value(self) -> float:
        """The effect."""
        return self.least.effect

    @property
    def fewest(self) -> int:
        """Networks of the recipe that has fewest."""
        return min(contrast.fewest for contrast in self.contrasts)

    def interval(self, level: float) -> Difference:
        """The effect with Welch's interval at a level, see :func:`.contrasts.student`."""
        wider = 1 - (1 - level) / len(self.contrasts)
        low = min(student(contrast, level).low for contrast in self.contrasts)
        return Difference(self.value, low, min(student(contrast, wider).high for contrast in self.contrasts))

    def interval_each(self) -> Difference:
        """The interval at 95 % of this effect by itself, of both levels of resampling where there are enough networks.

        Where it is the least of several, it is Welch's. With one network of a recipe it is about these networks alone.
        """
        if self.fewest < 2:
            return student(self.least.of_these_networks())
        if len(self.contrasts) > 1:
            return self.interval(LEVEL)
        return effect_of_recipes(self.least)

    def p_above(self, bound: float) -> float:
        """One-sided, of the hypothesis that the effect is at most ``bound``."""
        return max(p_above(contrast, bound) for contrast in self.contrasts)

    def p_below(self, bound: float) -> float:
        """One-sided, of the hypothesis that the effect is at least ``bound``."""
        least = min(p_below(contrast, bound) for contrast in self.contrasts)
        return min(1.0, len(self.contrasts) * least)
