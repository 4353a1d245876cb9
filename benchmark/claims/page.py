"""``claims.md``: the verdicts for reading, each with how it came about and the command that gives it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from ..report.markdown import markdown, number
from ..toolkit.inert import markdown_text
from ..toolkit.wording import counted
from .boundaries import VERDICTS

HEADING = "# Do the claims hold here?"

HOW = """\
Each claim was declared before looking, with its margin. The unit is the trained network: effects are means over
networks of means over images, and both are drawn anew. Verdicts hold for all claims of the file together: that one of
them is false has a probability of 5 % at most (Holm). The column *alone* has what the claim's own 95 % interval says.
Of a claim with several parts, the numbers are those of the part that is least sure to have its verdict.
"""


_SAID = {"the paper": "paper_says", "why": "why", "parts": "parts", "what would settle it": "settle"}
"""Facts of a claim, by what the page calls them."""


_NAMES = ["dataset", "recipes", "method", "column", "perturbation", "says"]
"""Columns that tell parts apart; what is the same in all of them is said once."""


def claims_page(claims: pd.DataFrame, parts: pd.DataFrame) -> str:
    """The page, of the rows of both tables."""
    sections = [f"{HEADING}\n", _counts(claims), HOW, markdown(_overview(claims))]
    for paper, of_paper in claims.groupby("paper", sort=False):
        sections.append(f"## {markdown_text(str(paper))}\n")
        sections += [describe(row, parts[parts["id"] == row["id"]]) for row in of_paper.to_dict("records")]
    return "\n".join(sections)


def describe(claim: dict, parts: pd.DataFrame) -> str:
    """One claim with its parts."""
    shared = ", ".join(
        parts[name].iloc[0] for name in _NAMES if parts[name].nunique() == 1 and parts[name].iloc[0]
    )
    facts = {
        "in all parts" if len(parts) > 1 else "compared": markdown_text(shared),
        **{name: markdown_text(claim[key]) for name, key in _SAID.items()}, "missing scores": _code(claim["command"]),
        "again": _code(claim["reproduce"]),
    }  # fmt: skip
    lines = [
        f"- {name}: {text if text.startswith('`') else markdown_text(text)}"
        for name, text in facts.items()
        if text
    ]
    head = f"### {claim['id']}: {claim['verdict']}\n\n{markdown_text(claim['text'])}.\n"
    return "\n".join([head, markdown(_shown(parts)) if len(parts) else "", *lines]) + "\n"


def _counts(claims: pd.DataFrame) -> str:
    together, alone = (_words(Counter(claims[column])) for column in ("verdict", "alone"))
    return f"{counted(len(claims), 'claim')}: {together}. Each by itself at 95 %: {alone}.\n"


def _words(found: Mapping[str, int]) -> str:
    return ", ".join(f"{found[word]} {word}" for word in VERDICTS if found.get(word))


def _overview(claims: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "claim": claims["id"], "says": claims["text"], "verdict": claims["verdict"], "alone": claims["alone"],
        **_effects(claims),
    })  # fmt: skip


def _shown(parts: pd.DataFrame) -> pd.DataFrame:
    kept = [name for name in _NAMES if parts[name].nunique() > 1]
    beside = parts["verdict"].where(parts["counts"], parts["verdict"] + " (beside)")
    return pd.DataFrame({**{name: parts[name] for name in kept}, "verdict": beside, **_effects(parts)})


def _effects(rows: pd.DataFrame) -> dict[str, list[str]]:
    records = rows.to_dict("records")
    return {
        "effect": [number(row["effect"]) for row in records],
        "95 % each": [_interval(row["ci_low"], row["ci_high"]) for row in records],
        "together": [_interval(row["page_low"], row["page_high"]) for row in records],
        "margin": [_margin(row) for row in records],
        "images": [f"{row['n']:.0f}" if pd.notna(row["n"]) else "" for row in records],
        "networks": [row["networks"] for row in records],
    }


def _interval(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"{number(low)} to {number(high)}"


def _margin(row: dict) -> str:
    if pd.isna(row["effect"]):
        return ""
    around = f" of {row['around']:g}" if row["holds"] == "within" else ""
    return f"{row['holds']} {row['m']:g}{around}"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
