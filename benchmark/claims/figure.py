"""``claims.svg``: the effect of each claim with its intervals, against its margin."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..report.drawing.forest import Row, draw_forest
from .boundaries import HOLDS, MIXED, NOT, UNDECIDED, bounds
from .declaration import NOT_TESTABLE
from .evaluate import Judgement
from .summary import deciding
from .verdicts import Verdict

FILE = "claims.svg"

COLOURS = {HOLDS: "#009e73", NOT: "#d55e00", MIXED: "#7b4bc4", UNDECIDED: "#0072b2", NOT_TESTABLE: "#808080"}
"""Of each verdict."""


def draw_claims(judgement: Judgement, path: Path) -> bool:
    """Draws the claims that have an effect; whether there is one."""
    rows = [row for verdict in judgement.verdicts if (row := _row(verdict)) is not None]
    if rows:
        draw_forest(rows, COLOURS, path)
    return bool(rows)


def _row(verdict: Verdict) -> Row | None:
    at = deciding(verdict)
    effect = None if at is None else verdict.parts[at].effect
    if at is None or effect is None:
        return None
    rule, each = verdict.parts[at].part.rule, verdict.parts[at].interval
    page = effect.interval(verdict.level)
    wide = (page.low, page.high) if verdict.parts[at].tested else (np.nan, np.nan)
    return Row(
        verdict.claim.id,
        f"{effect.value:.3g} [{each.low:.3g}, {each.high:.3g}], {rule.holds} {rule.m:g}",
        effect.value,
        (each.low, each.high),
        wide,
        bounds(rule),
        COLOURS[verdict.word],
    )
