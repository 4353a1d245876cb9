"""How many networks and images would settle what is undecided."""

from __future__ import annotations

import numpy as np

from ..statistics.contrasts import Contrast, Spread
from ..toolkit.wording import counted
from .boundaries import distance
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
    contrast, away = judged.effect.least, distance(judged.effect.value, judged.part.rule)
    for times in (1, 2, 4, 8, 16, 32, MOST_TIMES):
        for networks in range(max(contrast.fewest, 2), MOST_NETWORKS + 1):
            if _reach(contrast, networks, times, level) <= away:
                images = f" and about {times * contrast.images} images" if times > 1 else ""
                each = " of each recipe" if len(contrast.recipes) > 1 else ""
                return f"about {counted(networks, 'network')}{each}{images}"
    return f"nothing within reach: the effect is {away:.2g} from the margin"


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
