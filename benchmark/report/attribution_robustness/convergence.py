"""Whether an attack has converged: twice its steps and restarts must not lower the score much further."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ..bootstrap import weighted_means

TOLERANCE = 0.02
"""How much worse a score may become: this much where higher is better (1 at best), this share where lower is."""

CONVERGED, NOT_CONVERGED, NOT_CHECKED = "yes", "attack not converged", "not checked"


def doubled(perturbation: str) -> str:
    """The same perturbation with twice the steps, and restarts if it has them; nothing where it takes no steps."""
    if not re.search(r"[\[,]steps=\d", perturbation):
        return ""
    twice = re.compile(r"(?<=[\[,])(steps|restarts)=(\d+)")
    return twice.sub(lambda found: f"{found[1]}={2 * int(found[2])}", perturbation)


def converged(rows: pd.DataFrame, score: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A word for each row, ``(M,)``: one of the three, or nothing where no steps are taken or nothing is better.

    A row is compared with that of :func:`doubled` on the samples that have a weight in both.

    Args:
        rows: ``dataset``, ``model``, ``method``, ``metric``, ``settings``, ``perturbation``, ``higher_is_better``.
        score: on the same samples, ``(N, M)``.
        weight: ``(N, M)``, 0 where the prediction changed.
    """
    named = rows[["dataset", "model", "method", "metric", "settings"]].astype(str)
    perturbation = rows["perturbation"].astype(str)
    twice = perturbation.map({name: doubled(name) for name in perturbation.unique()})
    stepped = ((twice != "") & rows["higher_is_better"].isin(["True", "False"])).to_numpy()
    found = np.where(stepped, NOT_CHECKED, "").astype(object)
    place = pd.Series(
        np.arange(len(rows)), index=pd.MultiIndex.from_frame(named.assign(perturbation=perturbation))
    )
    companion = place.reindex(pd.MultiIndex.from_frame(named.assign(perturbation=twice))).to_numpy()
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
