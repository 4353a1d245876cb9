"""Which rows of a column can be ranked, and on which samples: those that all of them have."""

from __future__ import annotations

import numpy as np

MOST_MISSING = 0.05
"""Share of the samples that a row may lack and still be ranked."""


def complete(score: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The samples and the rows to compare: no row lacks more than ``MOST_MISSING``, no sample is missing anywhere.

    Scores of hard samples are missing more often, so the means of two rows over different samples may not be compared.
    A sample that no row has (its prediction changed under a perturbation) is not missing, but not there.

    Args:
        score: ``(n, M)``; NaN where it is missing.
        weight: ``(n, M)``; 0 where it is missing.

    Returns:
        samples that all compared rows have, bool ``(n,)``; rows that are compared, bool ``(M,)``.
    """
    present = (weight != 0) & ~np.isnan(score)
    there = present.any(1)
    rows = (~present[there]).sum(0) <= MOST_MISSING * there.sum()
    rows &= np.abs(np.where(present, weight, 0).sum(0)) > 0
    return there & present[:, rows].all(1), rows
