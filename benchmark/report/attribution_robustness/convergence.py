"""Whether an attack has converged: twice its steps and restarts must not lower the score much further."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...toolkit.labels import Label
from ..bootstrap import weighted_means

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


def converged(
    rows: pd.DataFrame, score: np.ndarray, weight: np.ndarray, perturbations: Mapping[str, Label]
) -> np.ndarray:
    """Whether the attack behind each row has converged, ``(M,)``: one of the three words above, or an empty one.

    A row is compared with the row of the :func:`doubled` attack, on the samples that have a weight in both. Without
    such a row it has not been checked. The word is empty for a perturbation that takes no steps, and for a column
    that has no direction.

    Args:
        rows: ``dataset``, ``model``, ``method``, ``metric``, ``settings``, ``perturbation``, ``higher_is_better``.
        score: on the same samples, ``(N, M)``.
        weight: ``(N, M)``, 0 where the prediction changed.
        perturbations: the perturbations by their text in ``rows``.
    """
    twice = _doubled_texts(rows["perturbation"], perturbations)
    stepped = ((twice != "") & rows["higher_is_better"].isin(["True", "False"])).to_numpy()
    found = np.where(stepped, NOT_CHECKED, "").astype(object)
    companion = _companions(rows, twice)
    one = np.flatnonzero(stepped & ~np.isnan(companion))
    other = companion[one].astype(int)
    held = (weight[:, one] != 0) & (weight[:, other] != 0)
    everything = np.ones((1, len(score)))
    before, after = (weighted_means(everything, score[:, at], weight[:, at] * held)[0] for at in (one, other))
    upward = (rows["higher_is_better"] == "True").to_numpy()[one]
    loss = np.where(upward, before - after, (after - before) / np.abs(before).clip(np.finfo(float).tiny))
    known = ~np.isnan(loss)
    found[one[known]] = np.where(loss[known] > TOLERANCE, NOT_CONVERGED, CONVERGED)
    return found


def _doubled_texts(texts: pd.Series, perturbations: Mapping[str, Label]) -> pd.Series:
    """The text of the doubled attack for each text of a perturbation, empty for what takes no steps."""
    here = {text: perturbations[text] for text in texts.unique() if text}
    text_of = {str(label): text for text, label in here.items()}
    twice = {text: str(doubled(label) or "") for text, label in here.items()}
    return texts.map({"": "", **{text: text_of.get(other, other) for text, other in twice.items()}})


def _companions(rows: pd.DataFrame, perturbation: pd.Series) -> np.ndarray:
    """Where the row is that is named as each row, but for the given perturbation; NaN where there is none."""
    named = rows[["dataset", "model", "method", "metric", "settings", "perturbation"]].astype(str)
    place = pd.Series(np.arange(len(rows)), index=pd.MultiIndex.from_frame(named))
    return place.reindex(pd.MultiIndex.from_frame(named.assign(perturbation=perturbation))).to_numpy()
