"""Differences between recipes, of which several trained networks are samples, as images are of their data."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .contrasts import Contrast, Difference, Networks, student
from .means import LEVEL, Means

FEWEST_SEEDS = 5
"""Networks of each recipe from which on a bootstrap of networks is long enough."""

RESAMPLES = 2000


def recipe_difference(found: Means, one: np.ndarray, other: np.ndarray) -> Difference:
    """The difference between two recipes; both networks and images are drawn anew, see :func:`effect_of_recipes`.

    Args:
        found: means of ``M`` networks on the same ``n`` images.
        one: places of the first recipe's networks.
        other: of the second's.
    """
    first, second = (Networks(found.mean[at], found.influence[:, at], int(at[0])) for at in (one, other))
    return effect_of_recipes(Contrast((first, second.times(-1))))


def effect_of_recipes(contrast: Contrast) -> Difference:
    """An effect on recipes with its interval; its bounds are NaN with one network of a recipe, or one image.

    With fewer than ``FEWEST_SEEDS`` networks of a recipe a bootstrap of them would be too short: then it is Welch's
    interval of the networks' means, with the images as a further source of variance. Otherwise networks are drawn
    within each recipe, and images for all networks together.
    """
    if contrast.fewest < FEWEST_SEEDS or contrast.images < 2:
        return student(contrast)
    drawn = sum(_drawn(recipe) for recipe in contrast.recipes)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(contrast.effect, float(low), float(high))


def _drawn(recipe: Networks) -> np.ndarray:
    """The mean of a recipe in each resample, ``(RESAMPLES,)``: networks are drawn anew, and images, for all alike."""
    n, seeds = recipe.influence.shape
    of_networks = recipe.mean + _counts(n, key=n) @ recipe.influence / n
    share = _counts(seeds, key=n + recipe.key + 1) / seeds
    return (share * of_networks).sum(1)


@lru_cache(maxsize=4)
def _counts(n: int, key: int) -> np.ndarray:
    """How often each of ``n`` is drawn in each resample, ``(RESAMPLES, n)``."""
    drawn = np.random.Philox(key=key).random_raw(RESAMPLES * n).reshape(RESAMPLES, n) % np.uint64(n)
    places = drawn.astype(np.int64) + np.arange(RESAMPLES, dtype=np.int64)[:, None] * n
    return np.bincount(places.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n).astype(float)
