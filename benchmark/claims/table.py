"""``claims_parts.csv``, one row a part of a claim, and ``claims.csv``, one row a claim."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from .boundaries import MIXED, NOT, UNDECIDED
from .commands import claims_command, making_commands
from .digest import rule_digest
from .evaluate import Judgement
from .settling import settled_by
from .summary import deciding, summary
from .verdicts import Verdict

SEEDS, IMAGES = "seeds and images", "images only"
"""What is drawn anew; of images only, nothing follows for recipes. Empty where nothing is inferred."""

_EFFECT = [
    "effect", "ci_low", "ci_high", "page_low", "page_high", "holds", "m", "around", "unit", "n", "networks",
]  # fmt: skip

CLAIMS = [
    "id", "version", "paper", "text", "verdict", "alone", *_EFFECT, "p", "p_page", "part", "parts", "why", "settle",
    "command", "paper_effect", "paper_says", "reproduce", "rule",
]  # fmt: skip
"""Columns of ``claims.csv``."""

PARTS = [
    "id", "part", "counts", "says", "kind", "dataset", "recipes", "method", "column", "perturbation", "on", "verdict",
    "alone", *_EFFECT, "p", "means", "last_doubling", "why", "settle", "command",
]  # fmt: skip
"""Columns of ``claims_parts.csv``."""


def parts_table(judgement: Judgement) -> pd.DataFrame:
    """One row for each part of each claim, in the order of the file."""
    rows = [_part(verdict, at) for verdict in judgement.verdicts for at in range(len(verdict.parts))]
    return pd.DataFrame(rows, columns=PARTS)


def claims_table(judgement: Judgement) -> pd.DataFrame:
    """One row for each claim, in the order of the file; its effect is that of the part on which the verdict depends."""
    rows = [_claim(verdict, judgement) for verdict in judgement.verdicts]
    return pd.DataFrame(rows, columns=CLAIMS)


def _claim(verdict: Verdict, judgement: Judgement) -> dict[str, Any]:
    claim, at = verdict.claim, deciding(verdict)
    shown = {} if at is None else _part(verdict, at)
    alike = [
        _part(verdict, place)
        for place, judged in enumerate(verdict.parts)
        if judged.part.counts and verdict.words[place] in (verdict.word, NOT if verdict.word == MIXED else "")
    ]
    return {
        **{name: shown.get(name, np.nan) for name in _EFFECT},
        **{name: shown.get(name, "") for name in ("holds", "unit", "networks", "part")},
        "id": claim.id, "version": claim.version, "paper": claim.paper, "text": claim.text, "verdict": verdict.word,
        "alone": verdict.alone, "p": verdict.p, "p_page": verdict.tested.adjusted if verdict.tested else np.nan,
        "parts": summary(verdict),
        "why": claim.why or _few(row["why"] for row in alike),
        "settle": "; ".join(filter(None, [claim.settle, _few(row["settle"] for row in alike)])),
        "command": making_commands(claim, (judged for judged in verdict.parts if judged.part.counts)),
        "paper_effect": claim.paper_effect, "paper_says": claim.paper_says,
        "reproduce": claims_command(judgement.runs, judgement.file, claim.id), "rule": rule_digest(claim),
    }  # fmt: skip


def _part(verdict: Verdict, at: int) -> dict[str, Any]:
    judged = verdict.parts[at]
    part, rule, effect = judged.part, judged.part.rule, judged.effect
    above = "" if part.beyond is None else f" > {part.beyond:g}"
    row: dict[str, Any] = {
        "id": verdict.claim.id, "part": part.name, "counts": part.counts, "says": rule.text, "kind": rule.kind,
        "dataset": part.dataset, "recipes": part.words("recipe"), "method": part.words("method"),
        "column": part.words("column") + above, "perturbation": part.words("perturbation"), "on": part.on,
        "verdict": verdict.words[at], "alone": verdict.words_alone[at], "holds": rule.holds, "m": rule.m,
        "around": rule.around, "n": judged.n or np.nan,
        "networks": ", ".join(dict.fromkeys(f"{len(side.networks)} {side.source.recipe}" for side in judged.sides)),
        "means": ", ".join(f"{_raw(side.mean.mean(), lower=rule.lower):.4g}" for side in judged.sides),
        "unit": "", "last_doubling": judged.doubling, "why": judged.reason.why if judged.reason else "",
        "settle": judged.reason.settle if judged.reason else "", "command": making_commands(verdict.claim, [judged]),
    }  # fmt: skip
    if judged.fact is not None:
        row |= {"why": judged.fact.why}
    if effect is None:
        return row
    each, unit = judged.interval, SEEDS if judged.tested else IMAGES
    row |= {"effect": effect.value, "ci_low": each.low, "ci_high": each.high, "unit": unit}
    if judged.tested:
        page = effect.interval(verdict.level)
        row |= {"page_low": page.low, "page_high": page.high, "p": min(judged.probabilities)}
    if verdict.words[at] == UNDECIDED:
        row |= {"settle": settled_by(judged, verdict.level), "why": "the interval has the margin in it"}
    return row


def _raw(mean: float, *, lower: bool) -> float:
    """A mean as it is in the column: where lower is better, the sides have it with the other sign."""
    return -mean if lower else mean


def _few(texts: Iterable[str], most: int = 2) -> str:
    """The first of some texts, each once, and how many more there are."""
    found = list(dict.fromkeys(filter(None, texts)))
    more = f"; and {len(found) - most} more, see claims_parts.csv" if len(found) > most else ""
    return "; ".join(found[:most]) + more
