"""How many networks and images would settle what is undecided."""

from __future__ import annotations

import numpy as np

from ..statistics.contrasts import Contrast
from ..statistics.means import student_quantile
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
    variance = np.array([*(np.array(of_networks) * seeds / more), images / times])
    total = variance.sum()
    if total == 0:
        return 0.0
    freedom = total**2 / (variance**2 / np.array([*(more - 1), times * contrast.images - 1])).sum()
    quantiles = student_quantile(freedom, level) + student_quantile(freedom, 2 * POWER - 1)
    return float(quantiles * np.sqrt(total))
