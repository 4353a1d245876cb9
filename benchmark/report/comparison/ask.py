"""Asks a question of one run or two: the door of the command line and of Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ...errors import XaiboardError
from ...store.glossary import Glossary
from ...toolkit.labels import split_labels
from .question import ALL, Question
from .runs import Joined, one_run, two_runs
from .table import compare


def read_question(
    *,
    method: str = "",
    model: str = "",
    against: str | Sequence[str] = ALL,
    on: str | Sequence[str] = (),
    margin: float | None = None,
    correct: str | None = None,
    seeds: bool = False,
) -> Question:
    """The question in the words of the command line, see :class:`.question.Question`.

    Raises:
        XaiboardError: it makes no sense.
    """
    if correct not in (None, "columns"):
        raise XaiboardError(f"correct='{correct}' given; leave it out, or write: columns")
    return Question(method, model, _names(against), _names(on), margin, correct == "columns", seeds)


class Comparison(NamedTuple):
    """A question and its answer.

    Args:
        question: what was asked.
        table: the answer, see :func:`.table.compare`.
        glossary: what the names in the table stand for.
        remark: what two runs have in common; empty for one run.
    """

    question: Question
    table: pd.DataFrame
    glossary: Glossary
    remark: str = ""

    @property
    def side(self) -> str:
        """The method, model or recipe that was asked about, by the name that it has in the table."""
        return str(self.table[self.question.kind].iloc[0])


def ask(folder: Path, other: Path | None, question: Question) -> Comparison:
    """The answer from the tables of a run, or of two; see :func:`.table.compare`.

    Raises:
        XaiboardError: there is no such run, or nothing to compare in it.
    """
    only = question.model if question.method else ""
    found = Joined(one_run(folder, only))
    if other is not None:
        found = two_runs(found.results, one_run(other, only), question.kind)
    return Comparison(question, compare(found.results, question), found.results.glossary, found.remark)


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(split_labels(given) if isinstance(given, str) else map(str, given))
