"""How many networks and images would settle what is undecided."""

from __future__ import annotations

import numpy as np

from ..statistics.contrasts import Contrast, Spread
from ..statistics.effects import Effect
from ..toolkit.wording import counted
from .boundaries import bounds, distance
from .declaration import Rule
from .judging import Judged

POWER = 0.8
"""With which a true effect like the one that was found would be told from the margin."""

MOST_NETWORKS, MOST_TIMES = 30, 64
"""Beyond so many networks of a recipe, and so many times the images, nothing is within reach."""


def settled_by(judged: Judged, level: float) -> str:
    """What would tell the effect of a part from its margin, if it is as found; in words.

    Args:
        judged: a part with an effect.
        level: confidence level of the interval that may not have the margin in it.
    """
    if judged.effect is None:
        return ""
    rule, fewest = judged.part.rule, judged.effect.fewest
    contrasts = _that_matter(judged.effect, rule)
    for times in (1, 2, 4, 8, 16, 32, MOST_TIMES):
        for networks in range(max(fewest + (times == 1), 2), MOST_NETWORKS + 1):
            if all(_reach(each, networks, times, level) <= distance(each.effect, rule) for each in contrasts):
                images = f" and about {times * contrasts[0].images} images" if times > 1 else ""
                of_each = " of each recipe" if len(contrasts[0].recipes) > 1 else ""
                return f"about {counted(networks, 'network')}{of_each}{images}"
    away = min(distance(each.effect, rule) for each in contrasts)
    return f"nothing within reach: the effect is {away:.2g} from the margin"


def _that_matter(effect: Effect, rule: Rule) -> tuple[Contrast, ...]:
    """The contrasts that must be told from the margin: all, where the least is above it; else that one."""
    return effect.contrasts if effect.value > max(bounds(rule)) else (effect.least,)


def _reach(contrast: Contrast, networks: int, times: int, level: float) -> float:
    """How far an effect must be from the margin to be told from it, with so many networks and times the images."""
    *of_networks, images = contrast.variances()
    seeds = np.array([len(recipe.mean) for recipe in contrast.recipes])
    more = np.maximum(seeds, networks)
    variance = np.array(of_networks) * seeds / more
    shared = (variance**2 / (more - 1)).sum()
    freedom = variance.sum() ** 2 / shared if shared else 1.0
    spread = Spread(float(variance.sum()), float(freedom), images / times, times * contrast.images - 1)
    return spread.reach(level) + spread.reach(2 * POWER - 1)
