"""What a comparison says: a file, a page, and a few sentences."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ...store.columns import LABEL
from ...store.glossary import Glossary
from ...store.tables import write_csv
from ...toolkit.files import write_file
from ..column_names import short_names
from ..markdown import DIRECTION_SIGNS, markdown, number
from .ask import Comparison
from .question import Question
from .rows import BETTER, OPEN, SAME, WORSE

CSV, PAGE = "compare.csv", "compare.md"

_CHANCE = 0.05
"""Columns in which verdicts hold at 95 % may have a false one with this probability each."""


def write_comparison(found: Comparison, folder: Path) -> list[Path]:
    """Writes ``compare.csv`` and ``compare.md``; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"# Comparison\n\n{describe(found)}"
    write_file(folder / CSV, lambda path: write_csv(found.table, path))
    write_file(folder / PAGE, lambda path: path.write_text(text, "utf-8"))
    return [folder / CSV, folder / PAGE]


def describe(found: Comparison) -> str:
    """The answer as Markdown: how many verdicts of each kind, what they mean, and the table in short."""
    return f"{_sentences(found.table, found.question)}\n\n{markdown(_short(found.table, found.glossary))}"


def _sentences(table: pd.DataFrame, question: Question) -> str:
    counts = table["verdict"].value_counts()
    words = (BETTER, WORSE, SAME, OPEN) if question.margin is not None else (BETTER, WORSE, OPEN)
    verdicts = ", ".join(f"{counts.get(word, 0)} {word}" for word in words)
    without = int((table["verdict"] == "").sum())
    side = question.method or question.model
    columns = len(table.drop_duplicates([name for name in LABEL if name != question.kind]))
    parts = [
        f"{side}: {verdicts}"
        + (f", {without} without scores" if without else "")
        + f", in {columns} columns."
    ]
    if question.seeds:
        parts.append(
            "Intervals hold at 95 % each; networks of a recipe and images are drawn anew. By chance alone, a true"
            f" difference of 0 is called one in {_CHANCE:.0%} of the rows."
        )
    elif question.columns_together:
        parts.append(
            "Intervals and verdicts hold at 95 % for all columns together, for these networks and images like these."
        )
    else:
        parts.append(
            "Intervals and verdicts hold at 95 % for all pairs in a column together, for these networks and images like"
            f" these; by chance alone up to {_CHANCE * columns:.1f} of the {columns} columns have a false verdict"
            " (--correct columns takes them together)."
        )
    return " ".join(parts)


def _short(table: pd.DataFrame, glossary: Glossary) -> pd.DataFrame:
    """What fits on a screen."""
    column = short_names(table, glossary) + " " + table["higher_is_better"].map(DIRECTION_SIGNS)
    interval = [
        "" if pd.isna(low) else f"{low:.3g} to {high:.3g}"
        for low, high in zip(table["ci_low"], table["ci_high"], strict=True)
    ]
    shown = {
        "dataset": table["dataset"], "model": table["model"], "method": table["method"],
        "against": table["against"], "column": column, "effect": table["effect"].map(number),
        "95 % interval": interval, "n": table["n"], "verdict": table["verdict"],
        "smallest difference": table["smallest_difference"].map(number),
        "samples needed": [_count(value) for value in table["samples_needed"]], "note": table["note"],
    }  # fmt: skip
    short = pd.DataFrame(shown)
    constant = [name for name in ("dataset", "model", "method", "against") if short[name].nunique() == 1]
    empty = [name for name in ("note", "samples needed", "smallest difference") if (short[name] == "").all()]
    return short.drop(columns=[*(constant if len(short) > 1 else []), *empty])


def _count(value: float) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.0f}" if value < 1e9 else "none would do"
