"""Whether an attack has converged: twice its steps and restarts must not lower the score much further."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...statistics.means import weighted_mean
from ...store.columns import LABEL
from ...toolkit.labels import Label
from ..blocks import DIRECTIONS, Blocks

TOLERANCE = 0.02
"""How much worse a score may become with twice the effort.

Where higher is better, by so much (scores reach from 0 to 1); where lower is better, by such a share of itself.
"""

CONVERGED, NOT_CONVERGED, NOT_CHECKED = "yes", "attack not converged", "not checked"

EFFORT = ("steps", "restarts")
"""Settings of an attack that say how hard it tries."""


def doubled(perturbation: Label) -> Label | None:
    """The same attack with twice the steps, and twice the restarts if it has them; None for what takes no steps."""
    settings = perturbation.settings
    if not settings.get("steps", "").isdigit():
        return None
    effort = {name: str(2 * int(value)) for name, value in settings.items() if name in EFFORT}
    return perturbation._replace(settings={**settings, **effort})


def converged(blocks: Blocks, perturbations: Mapping[str, Label]) -> np.ndarray:
    """Whether the attack behind each block has converged, ``(M,)``: one of the three words above, or an empty one.

    A block is compared with that of the :func:`doubled` attack, on the samples that have a weight in both. Without
    such a block it has not been checked. The word is empty for a perturbation that takes no steps, and for a column
    that has no direction.

    Args:
        blocks: the scores of a run; a sample has weight 0 where the prediction changed.
        perturbations: the perturbations by their text in the blocks.
    """
    rows = blocks.rows
    twice = _doubled_texts(rows["perturbation"], perturbations)
    stepped = ((twice != "") & rows["higher_is_better"].isin(DIRECTIONS)).to_numpy()
    found = np.where(stepped, NOT_CHECKED, "").astype(object)
    companion = _companions(rows, twice)
    for place in np.flatnonzero(stepped & ~np.isnan(companion)):
        score, weight = blocks.matrix(np.array([place, int(companion[place])]))
        before, after = weighted_mean(np.nan_to_num(score), weight * (weight != 0).all(1, keepdims=True))
        upward = blocks.words["higher_is_better"][place] == "True"
        loss = before - after if upward else (after - before) / max(abs(before), np.finfo(float).tiny)
        if not np.isnan(loss):
            found[place] = NOT_CONVERGED if loss > TOLERANCE else CONVERGED
    return found


def _doubled_texts(texts: pd.Series, perturbations: Mapping[str, Label]) -> pd.Series:
    """The text of the doubled attack for each text of a perturbation, empty for what takes no steps."""
    here = {text: perturbations[text] for text in texts.unique() if text}
    text_of = {str(label): text for text, label in here.items()}
    twice = {text: str(doubled(label) or "") for text, label in here.items()}
    return texts.map({"": "", **{text: text_of.get(other, other) for text, other in twice.items()}})


def _companions(rows: pd.DataFrame, perturbation: pd.Series) -> np.ndarray:
    """Where the row is that is named as each row, but for the given perturbation; NaN where there is none."""
    place = pd.Series(np.arange(len(rows)), index=pd.MultiIndex.from_frame(rows[LABEL]))
    return place.reindex(pd.MultiIndex.from_frame(rows[LABEL].assign(perturbation=perturbation))).to_numpy()
