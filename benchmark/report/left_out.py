"""Rules that say which scores a published copy of a run leaves out."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import XaiboardError
from ..store.glossary import Glossary


@dataclass(frozen=True)
class Rule:
    """Scores that a published copy leaves out: those for which everything that the rule says is true.

    Every value is one pattern or a list of patterns, of which one must match.

    Args:
        model: names of models.
        method: methods, as they stand in tables.
        metric: names of metrics; without ``column`` whole cells are left out, with their curves.
        column: named columns of the metrics; their cells stay.
        settings: of the metrics, by name of the setting.
        perturbation: names of perturbations.
        under: settings of the perturbations, by name of the setting.
    """

    model: Sequence[str] = ("*",)
    method: Sequence[str] = ("*",)
    metric: Sequence[str] = ("*",)
    column: Sequence[str] = ()
    settings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    perturbation: Sequence[str] = ()
    under: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def hits(self, table: pd.DataFrame, glossary: Glossary) -> pd.Series:
        """Whether the rule is about each row of a table with the columns of a label, bool ``(rows,)``."""
        columns, perturbations = glossary.columns, glossary.perturbations
        hit = _where(table["model"], lambda text: _any(text, self.model))
        hit &= _where(table["method"], lambda text: _any(text, self.method))
        hit &= _where(table["metric"], lambda text: _any(columns[text].metric, self.metric))
        if self.column:
            hit &= _where(table["metric"], lambda text: _any(columns[text].name, self.column))
        if self.settings:
            hit &= _where(table["settings"], lambda text: _all(glossary.settings[text], self.settings))
        if self.perturbation or self.under:
            hit &= _where(
                table["perturbation"],
                lambda text: (
                    text != ""
                    and _any(perturbations[text].name, self.perturbation or ("*",))
                    and _all(perturbations[text].settings, self.under)
                ),
            )
        return hit


def read_rules(path: Path, name: str) -> list[Rule]:
    """The rules in a TOML file for the published folder ``name``: those of tables whose key it is, or matches.

    Raises:
        XaiboardError: no such file, or it is no TOML, or a key or value that no rule has.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise XaiboardError(f"rules '{path}' cannot be read: {error}") from None
    tables = [entries for pattern, entries in content.items() if fnmatchcase(name, pattern)]
    for entries in tables:
        if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
            raise XaiboardError(f"rules '{path}' has {name} = {str(entries)[:60]!r}; write tables [[{name}]]")
    return [_rule(path, name, entry) for entries in tables for entry in entries]


def require_hits(scores: pd.DataFrame, glossary: Glossary, rules: Sequence[Rule]) -> None:
    """Refuses rules that are about no score: a name is misspelt, and what was to be left out would be published.

    Raises:
        XaiboardError: a rule is about none.
    """
    for number, rule in enumerate(rules, start=1):
        if not rule.hits(scores, glossary).any():
            raise XaiboardError(
                f"rule {number} leaves out no score of the run: {rule}; mend its names, or remove it"
            )


def leave_out(table: pd.DataFrame, glossary: Glossary, rules: Sequence[Rule]) -> pd.DataFrame:
    """The rows of a table about which no rule is; the table has the columns of a label."""
    left = pd.Series(data=False, index=table.index)
    for rule in rules:
        if len(table):
            left |= rule.hits(table, glossary)
    return table[~left]


def _where(column: pd.Series, holds: Callable[[str], bool]) -> pd.Series:
    """Whether something holds for each text of a column that repeats few texts: each of these is asked once."""
    texts = column.astype("category").cat
    known = np.array([holds(str(text)) for text in texts.categories], dtype=bool)
    return pd.Series(known[texts.codes], index=column.index)


def _any(text: str, patterns: Sequence[str]) -> bool:
    return any(text == pattern or fnmatchcase(text, pattern) for pattern in patterns)


def _all(settings: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    return all(name in settings and _any(settings[name], patterns) for name, patterns in wanted.items())


def _rule(path: Path, name: str, entry: Mapping[str, Any]) -> Rule:
    plain, nested = ("model", "method", "metric", "column", "perturbation"), ("settings", "under")
    unknown = set(entry) - {*plain, *nested}
    if unknown or not entry:
        raise XaiboardError(
            f"a rule of '{name}' in '{path}' has {min(unknown, default='nothing')}; it may have:"
            f" {', '.join((*plain, *nested))}"
        )
    for key in nested:
        if not isinstance(entry.get(key, {}), Mapping):
            raise XaiboardError(
                f"'{key}' of a rule of '{name}' in '{path}' must be a table, as in {key} = {{ steps = \"5\" }};"
                f" got {entry[key]!r}"
            )
    words = {key: _patterns(value) for key, value in entry.items() if key in plain}
    settings, under = (
        {setting: _patterns(value) for setting, value in entry.get(key, {}).items()} for key in nested
    )
    return Rule(**words, settings=settings, under=under)


def _patterns(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
