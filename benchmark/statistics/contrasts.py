"""Effects on recipes: sums of means over trained networks, of which each recipe has several, on the same images."""

from __future__ import annotations

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

    def spread(self) -> tuple[float, float]:
        """Standard error and degrees of freedom of the effect, of Welch and Satterthwaite; NaN where not known.

        The images are one more source of variance beside the networks of each recipe.
        """
        if min(self.fewest, self.images) < 2:
            return np.nan, np.nan
        variance = self.variances()
        total = variance.sum()
        if total == 0:
            return 0.0, 1.0
        freedom = np.array([*(len(recipe.mean) - 1 for recipe in self.recipes), self.images - 1])
        return float(np.sqrt(total)), float(total**2 / (variance**2 / freedom).sum())


def student(contrast: Contrast, level: float = LEVEL) -> Difference:
    """The effect with Welch's interval at a level; its bounds are NaN with one network of a recipe, or one image."""
    error, freedom = contrast.spread()
    reach = student_quantile(freedom, level) * error
    effect = contrast.effect
    return Difference(effect, float(effect - reach), float(effect + reach))


def p_above(contrast: Contrast, bound: float) -> float:
    """How probable such an effect were, or a greater one, if the true one were at ``bound``; NaN where not known."""
    return _tail(contrast, contrast.effect - bound)


def p_below(contrast: Contrast, bound: float) -> float:
    """As :func:`p_above`, of such an effect or a smaller one."""
    return _tail(contrast, bound - contrast.effect)


def _tail(contrast: Contrast, distance: float) -> float:
    from scipy.special import stdtr

    error, freedom = contrast.spread()
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(freedom, -distance / error))
