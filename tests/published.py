"""What the published tables say, as the documents write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"

WORDS = (
    "dataset", "model", "family", "method", "metric", "settings", "perturbation", "status", "note", "column",
    "higher_is_better",
)  # fmt: skip


@cache
def table(folder: str, name: str) -> pd.DataFrame:
    """A table of a published run; words that are empty are empty texts."""
    found = pd.read_csv(RESULTS / folder / f"{name}.csv", dtype=dict.fromkeys(WORDS, str))
    return found.fillna({word: "" for word in WORDS if word in found})


def mean(folder: str, column: str, value: str = "mean", **where: str) -> pd.Series:
    """Values of a metric column by model and method, of the rows whose text contains what ``where`` says."""
    rows = table(folder, "leaderboard")
    rows = rows[rows["metric"] == column]
    for name, text in where.items():
        rows = rows[rows[name].str.contains(text, regex=False)]
    return rows.set_index(["model", "method"])[value].astype(float)


def number(value: float, digits: int = 2) -> str:
    """``.53``, ``−.12``, ``1.02``: halves are rounded away from zero, as readers do."""
    exact = Decimal(repr(round(float(value), 6))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return re.sub(r"^(-?)0\.", r"\1.", str(exact)).replace("-", "−")


def spread(values: pd.Series, digits: int = 2) -> str:
    """``.22 to .52``: the lowest and the highest."""
    return f"{number(values.min(), digits)} to {number(values.max(), digits)}"


@cache
def words(page: str) -> str:
    """The text of a document with single spaces."""
    return " ".join((ROOT / page).read_text("utf-8").split())


def assert_says(page: str, sentence: str) -> None:
    """The page has the sentence, whatever its line breaks."""
    assert " ".join(sentence.split()) in words(page)


def assert_row(page: str, name: str, *cells: str) -> None:
    """The page has a table whose row ``name`` has these cells."""
    assert_says(page, f"| {name} | {' | '.join(cells)} |")


def rows(page: str, pattern: str, cells: int) -> Mapping[str, list[str]]:
    """The other cells of the table rows whose first cell matches, by the first one; of rows of so many other cells."""
    lines = [line for line in (ROOT / page).read_text("utf-8").splitlines() if line.startswith("|")]
    split = [[cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")] for line in lines]
    return {first: rest for first, *rest in split if re.fullmatch(pattern, first) and len(rest) == cells}
