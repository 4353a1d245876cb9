"""The table of a comparison as people read it: with footnotes, and no wider than a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...store.glossary import Glossary
from ..column_names import short_names
from ..markdown import DIRECTION_SIGNS, number
from .rows import BETTER, OPEN, SAME, WORSE

SMALLEST, NEEDED = "smallest", "n needed"

_SPARE = (SMALLEST, NEEDED, "n")
"""Columns that are left out first where a terminal is too narrow."""


def shown(table: pd.DataFrame, glossary: Glossary) -> tuple[pd.DataFrame, list[str]]:
    """The rows with short names and numbers, and the notes to which their verdicts refer by numbers."""
    notes = [note for note in dict.fromkeys(table["note"]) if note]
    marks = {note: f" [{place}]" for place, note in enumerate(notes, 1)}
    verdicts = zip(table["verdict"].replace("", "no verdict"), table["note"], strict=True)
    columns = {
        "dataset": table["dataset"], "model": table["model"], "method": table["method"],
        "against": table["against"],
        "column": short_names(table, glossary) + " " + table["higher_is_better"].map(DIRECTION_SIGNS),
        "effect": table["effect"].map(number), "95 % interval": _intervals(table), "n": table["n"],
        "verdict": [verdict + marks.get(note, "") for verdict, note in verdicts],
        SMALLEST: table["smallest_difference"].map(_number),
        NEEDED: table["samples_needed"].map(_count),
    }  # fmt: skip
    short = pd.DataFrame(columns)
    empty = [name for name in (SMALLEST, NEEDED) if (short[name] == "").all()]
    return short.drop(columns=[*constants(table), *empty]), notes


def constants(table: pd.DataFrame) -> dict[str, str]:
    """What is the same in all rows with a verdict, by its column: said once, it needs no column."""
    judged = table[table["verdict"] != ""] if (table["verdict"] != "").any() else table
    names = ("dataset", "model", "method", "against")
    found = {name: table[name].iloc[0] for name in names if table[name].nunique() == 1}
    return found | ({"n": str(judged["n"].iloc[0])} if judged["n"].nunique() == 1 else {})


def footnotes(notes: Sequence[str]) -> str:
    """The notes under a table, as a list."""
    return "\n".join(f"- [{place}] {note}" for place, note in enumerate(notes, 1))


def fitting(table: pd.DataFrame, width: int) -> pd.DataFrame:
    """The table without the columns that a terminal has no room for."""
    for name in _SPARE:
        widths = [max(map(len, [str(column), *table[column].astype(str)])) + 3 for column in table]
        if sum(widths) + 1 > width and name in table:
            table = table.drop(columns=name)
    return table


def summary(table: pd.DataFrame, other: str) -> pd.DataFrame:
    """How many columns have which verdict: a row for each rival, or where there is but one for each of another kind.

    Args:
        table: the rows of a comparison.
        other: ``model`` where methods are compared, and ``method`` where models are.
    """
    by = next((name for name in ("against", other) if table[name].nunique() > 1), "metric")
    counts = pd.crosstab(table[by].replace("", "(none)"), table["verdict"])
    words = [word for word in (BETTER, WORSE, SAME, OPEN, "") if word in counts]
    return counts[words].rename(columns={"": "no verdict"}).rename_axis(columns=None).reset_index()


def _intervals(table: pd.DataFrame) -> list[str]:
    bounds = zip(table["ci_low"], table["ci_high"], strict=True)
    return ["" if pd.isna(low) else f"{_number(low)} to {_number(high)}" for low, high in bounds]


def _number(value: float) -> str:
    return number(value).replace("inf", "∞")


def _count(value: float) -> str:
    return "" if pd.isna(value) else "∞" if np.isinf(value) else f"{value:.0f}"
