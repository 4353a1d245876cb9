"""Which metric columns pass their controls on which models."""

from __future__ import annotations

import pandas as pd


def passes_controls(health: pd.DataFrame) -> pd.Series:
    """Whether a column measures more than chance and smoothness on a model, bool for each row of ``health.csv``.

    It does if random numbers beat no method beyond doubt, a method beats them beyond doubt, and no blurred copy beats
    its map beyond doubt. Without a random control nothing is known, and the answer is no.

    Args:
        health: rows of :func:`.table.metric_health`.
    """
    counts = health[["beat_random", "random_beats", "blurred_better"]].astype("Float64")
    known = counts["beat_random"].notna()
    right = (counts["beat_random"] > 0) & (counts["random_beats"] == 0) & (counts["blurred_better"] == 0)
    return (known & right.fillna(False)).astype(bool)
