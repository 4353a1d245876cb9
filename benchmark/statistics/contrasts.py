"""Effects on recipes: sums of means over trained networks, of which each recipe has several, on the same images."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np

from .means import LEVEL, student_quantile


class Networks(NamedTuple):
    """What the networks of one recipe add to an effect, which has the mean over them in it.

    Args:
        mean: of each network, ``(S,)``.
        influence: how far each image moves it, times the number of images, ``(n, S)``.
        key: of the random numbers by which networks are drawn.
    """

    mean: np.ndarray
    influence: np.ndarray
    key: int

    def times(self, factor: float) -> Networks:
        """The same networks, each of whose means counts so often."""
        return Networks(factor * self.mean, factor * self.influence, self.key)


class Difference(NamedTuple):
    """How much one mean is above another, with bounds at 95 %.

    Args:
        effect: of the means.
        low: lower bound; NaN where it is not known.
        high: upper bound.
    """

    effect: float
    low: float
    high: float


class Contrast(NamedTuple):
    """An effect: the sum of what some recipes add to it."""

    recipes: tuple[Networks, ...]

    @property
    def effect(self) -> float:
        """The sum of the means over networks."""
        return float(sum(recipe.mean.mean() for recipe in self.recipes))

    @property
    def fewest(self) -> int:
        """Networks of the recipe that has fewest."""
        return min(len(recipe.mean) for recipe in self.recipes)

    @property
    def images(self) -> int:
        """Images behind each mean."""
        return len(self.recipes[0].influence)

    def of_these_networks(self) -> Contrast:
        """The same effect, of networks that are all there are: as if each recipe had two that agree."""
        return Contrast(
            tuple(
                Networks(
                    np.full(2, recipe.mean.mean()),
                    recipe.influence.mean(1, keepdims=True).repeat(2, 1),
                    recipe.key,
                )
                for recipe in self.recipes
            )
        )

    def variances(self) -> np.ndarray:
        """Of the effect: by the choice of the networks, a number for each recipe; and by that of the images."""
        n = self.images
        images = sum((recipe.influence.mean(1) for recipe in self.recipes), np.zeros(n))
        of_networks = [
            recipe.mean.var(ddof=1) / len(recipe.mean) if len(recipe.mean) > 1 else np.nan
            for recipe in self.recipes
        ]
        return np.array([*of_networks, (images**2).sum() / (n * max(n - 1, 1))])

    def spread(self) -> Spread:
        """How far the effect may be from the true one; NaN with one network of a recipe, or one image."""
        if min(self.fewest, self.images) < 2:
            return Spread(np.nan, np.nan, np.nan, np.nan)
        *of_recipes, images = self.variances()
        freedom = [len(recipe.mean) - 1 for recipe in self.recipes]
        total = sum(of_recipes)
        shared = sum(variance**2 / free for variance, free in zip(of_recipes, freedom, strict=True))
        return Spread(total, total**2 / shared if shared else 1.0, images, self.images - 1)


class Spread(NamedTuple):
    """Variances of an effect, and the degrees of freedom of their estimates.

    Args:
        networks: by the choice of the networks, of all recipes together.
        freedom: of that, by Satterthwaite's rule.
        images: by the choice of the images.
        images_freedom: of that.
    """

    networks: float
    freedom: float
    images: float
    images_freedom: float

    def reach(self, level: float) -> float:
        """Half of the interval at a level.

        Each variance counts with the quantile of its own freedom, after Banerjee 1960 (Sankhyā 22): such an interval
        holds its level however the two compare. One freedom for both would not: of few networks the variance is
        underestimated so often that at levels beyond 99 % the interval errs up to thirty times as often as it should.
        """
        of_networks = student_quantile(self.freedom, level) ** 2 * self.networks
        return float(np.sqrt(of_networks + student_quantile(self.images_freedom, level) ** 2 * self.images))


def student(contrast: Contrast, level: float = LEVEL) -> Difference:
    """The effect with Welch's interval at a level, in which the images are a source of variance beside the networks.

    Its bounds are NaN with one network of a recipe, or one image.
    """
    reach, effect = contrast.spread().reach(level), contrast.effect
    return Difference(effect, effect - reach, effect + reach)


def p_above(contrast: Contrast, bound: float) -> float:
    """How probable such an effect were, or a greater one, if the true one were at ``bound``; NaN where not known."""
    return _tail(contrast.spread(), contrast.effect - bound)


def p_below(contrast: Contrast, bound: float) -> float:
    """As :func:`p_above`, of such an effect or a smaller one."""
    return _tail(contrast.spread(), bound - contrast.effect)


def _tail(spread: Spread, distance: float) -> float:
    """The probability at which the interval ends at that distance, one-sided."""
    from scipy.optimize import brentq

    if np.isnan(spread.networks):
        return np.nan
    if spread.networks + spread.images == 0:
        return 0.0 if distance > 0 else 1.0

    def too_far(log_tail: float) -> float:
        return _reach_of_tail(spread, exp(log_tail)) - abs(distance)

    least = log(_LEAST)
    tail = _LEAST if too_far(least) < 0 else exp(float(brentq(too_far, least, log(0.5))))  # pyright: ignore[reportArgumentType]
    return tail if distance > 0 else 1 - tail


def _reach_of_tail(spread: Spread, tail: float) -> float:
    """As :meth:`Spread.reach`, of the probability beyond one end, which ``1 - level`` would round where it is small."""
    from scipy.special import stdtrit

    of_networks = float(stdtrit(spread.freedom, tail)) ** 2 * spread.networks
    return sqrt(of_networks + float(stdtrit(spread.images_freedom, tail)) ** 2 * spread.images)


_LEAST = 1e-100
"""The smallest probability that is told from none."""
