"""What a comparison says in words: the count of verdicts, for whom they hold, and how to read the table."""

from __future__ import annotations

import pandas as pd

from ...store.columns import LABEL
from ...toolkit.wording import counted
from .ask import Comparison
from .rows import BETTER, OPEN, SAME, WORSE
from .shown import NEEDED, SMALLEST, constants

_CHANCE = 0.05
"""How probable a false verdict is, in a column whose verdicts hold at 95 %."""


def sentences(found: Comparison) -> str:
    """How many verdicts of each kind there are, for whom they hold, and how many chance alone would give."""
    return " ".join(filter(None, [_counts(found), found.remark, _validity(found)]))


def legend(found: Comparison, table: pd.DataFrame) -> str:
    """How to read the columns of the table that is shown."""
    side, question = found.side, found.question
    parts = [
        f"effect: the mean of {side} less that of the other, in units of the score; where lower is better (↓), a"
        f" negative effect speaks for {side}."
    ]
    if question.margin is not None:
        parts.append(
            f"Differences up to {question.margin:g} do not matter; a better one may be within them or not."
        )
    if SMALLEST in table:
        parts.append(
            f"{SMALLEST}: the true difference that these samples would tell apart with a power of 80 %."
        )
    if NEEDED in table:
        parts.append(
            f"{NEEDED}: so many samples settle a true difference like the one found with a power of 80 %."
        )
    return " ".join(parts)


def _counts(found: Comparison) -> str:
    table, question = found.table, found.question
    counts = table["verdict"].value_counts()
    words = [word for word in (BETTER, WORSE, SAME, OPEN) if word != SAME or question.margin is not None]
    verdicts = ", ".join(f"{counts.get(word, 0)} {word}" for word in words)
    without = counts.get("", 0)
    rivals = table["against"].unique()
    against = (
        rivals[0] if len(rivals) == 1 else counted(len(rivals), "recipe" if question.seeds else question.kind)
    )
    places = ", ".join(
        f"{name} {text}"
        for name, text in constants(table).items()
        if text and name not in (question.kind, "against")
    )
    rest = f", {without} without a verdict" if without else ""
    return f"{found.side} against {against}{f' ({places})' if places else ''}: {verdicts}{rest}."


def _validity(found: Comparison) -> str:
    question, table = found.question, found.table[found.table["verdict"] != ""]
    if not len(table):
        return ""
    if question.seeds:
        return (
            "Each interval holds at 95 % by itself, for recipes: networks are drawn anew, and images. Chance alone"
            f" tells equal recipes apart {_by_chance(len(table), 'row')}."
        )
    networks = "these networks, not for others of their recipes (--seeds)," if question.kind == "model" else (
        "these networks"
    )  # fmt: skip
    if question.columns_together:
        return f"Intervals and verdicts of all columns together hold at 95 %, for {networks} and images like these."
    columns = len(table.drop_duplicates([name for name in LABEL if name != question.kind]))
    return (
        f"Intervals and verdicts hold at 95 % for all pairs of a column together, for {networks} and images like these;"
        f" chance alone gives a false verdict {_by_chance(columns, 'column')}"
        f"{' (--correct columns takes them together)' if columns > 1 else ''}."
    )


def _by_chance(count: int, what: str) -> str:
    if count == 1:
        return f"with a probability of up to {_CHANCE:.0%}".replace("%", " %")
    return f"in up to {_CHANCE * count:.2g} of the {count} {what}s"
