"""What a comparison asks, and which names in the tables it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import XaiboardError, unknown
from ...store.glossary import Glossary
from ...toolkit.labels import Label
from ...toolkit.patterns import is_wild, matches, read_pattern
from ..column_names import short_names

ALL = "all"


@dataclass(frozen=True)
class Question:
    """One side against others.

    Args:
        method: the method that is compared with other methods of each model; empty where models are compared.
        model: the model that is compared with other models; with a method, the only model that counts.
        against: names of the others; ``all`` among them for all there are.
        on: patterns of metric columns; none for all.
        margin: differences up to it are no difference that matters, in units of the score; None for none.
        columns_together: whether verdicts hold for all columns together, not for each by itself.
        seeds: whether models stand for their recipes, all seeds of which take part.
    """

    method: str = ""
    model: str = ""
    against: tuple[str, ...] = (ALL,)
    on: tuple[str, ...] = ()
    margin: float | None = None
    columns_together: bool = False
    seeds: bool = False

    def __post_init__(self) -> None:
        """Refuses what makes no sense whatever the run.

        Raises:
            XaiboardError: it does not.
        """
        if not (self.method or self.model):
            raise XaiboardError("nothing to compare; name a method with --method, or a model with --model")
        if self.margin is not None and not 0 < self.margin < float("inf"):
            raise XaiboardError(
                f"margin {self.margin:g} given; it must be a positive number in units of the score"
            )
        if self.seeds and self.method:
            raise XaiboardError("--seeds compares recipes of models; leave --method out, and name a model")
        if self.seeds and self.columns_together:
            raise XaiboardError("--correct columns takes networks as they are; leave it out, or --seeds")
        if not self.against:
            raise XaiboardError("--against names nothing; name methods or models, or write: all")

    @property
    def kind(self) -> str:
        """What is compared: ``method`` or ``model``."""
        return "method" if self.method else "model"

    @property
    def side(self) -> str:
        """The method or model that is compared, as the user named it."""
        return self.method or self.model


def find_name(kind: str, name: str, known: Mapping[str, Label]) -> str:
    """The text in the tables that a name means: the text itself, or the one whose component has that name.

    Args:
        kind: of the component.
        name: as the user typed it, with some of its settings or without.
        known: the component of each text in the tables.

    Raises:
        XaiboardError: there is none, or several.
    """
    if name in known:
        return name
    wanted = read_pattern(name)
    same = [text for text, label in known.items() if matches(wanted, *label)]
    if len(same) == 1:
        return same[0]
    if same:
        raise XaiboardError(f"'{name}' may be any of: {', '.join(sorted(same))}; name one of them in full")
    raise unknown(kind, name, known)


def matching_columns(rows: pd.DataFrame, patterns: Sequence[str], glossary: Glossary) -> np.ndarray:
    """Whether each row is of a column that a pattern matches, bool ``(rows,)``.

    A name means what bears it: the short name that tables show, else a column (``deletion``, ``deletion.retention``)
    under all settings, or under those that are given (``deletion[baseline=mean]``), else a metric that has no column of
    its own name. With ``*`` or ``?`` it means whatever matches, ``deletion*`` all columns of the metric.

    Args:
        rows: with the names of metric columns.
        patterns: names and patterns; none for all.
        glossary: what the names stand for.

    Raises:
        XaiboardError: a pattern matches nothing.
    """
    if not patterns:
        return np.ones(len(rows), dtype=bool)
    names = short_names(rows, glossary)
    columns = list(rows["metric"])
    metrics = [glossary.columns[text].metric for text in columns]
    settings = [glossary.settings[text] for text in rows["settings"]]
    found = np.zeros(len(rows), dtype=bool)
    for pattern in patterns:
        wanted = read_pattern(pattern)
        readings = [(names == pattern).to_numpy()] + [
            np.array([matches(wanted, *each) for each in zip(of, settings, strict=True)], dtype=bool)
            for of in (columns, metrics)
        ]
        if not any(reading.any() for reading in readings):
            raise unknown("metric column", pattern, {*names, *columns})
        narrowest = next(reading for reading in readings if reading.any())
        found |= np.logical_or.reduce(readings) if is_wild(pattern) else narrowest
    return found
