"""The leaderboard for a terminal: methods by mean rank, families of metrics across, controls apart."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import pandas as pd

from ..store.columns import LABEL
from ..toolkit.text_table import text_table
from .markdown import DIRECTION_SIGNS, number
from .order import PLACE, in_order, mean_ranks, overall

WIDTH = 100
"""Signs in a line."""

NAME = 40
"""Signs of a method's name at most."""

ABSENT = "–"

FAILS = "‡"
"""Marks headings of columns in which a random map may be the best."""


class Board(NamedTuple):
    """A table for a terminal.

    Args:
        text: of the table, in lines of at most ``WIDTH`` signs.
        hidden: headings for which there was no room.
    """

    text: str
    hidden: list[str]


class _Across(NamedTuple):
    """A column of the board, or the columns of a family of metrics that would be: headings, and an entry a method."""

    heading: str
    entries: pd.Series

    @property
    def width(self) -> int:
        return max(map(len, [self.heading, *self.entries])) + 3


def board(rows: pd.DataFrame, doubtful: Collection[tuple[str, ...]] = ()) -> Board:
    """The methods in :func:`.order.ranked` rows of one data set, the best mean rank first, controls behind the others.

    A family of metrics is a column of mean ranks; it is a column for each of its metrics as far as these fit.

    Args:
        rows: of one model or several.
        doubtful: names of rows whose rank is to be read with its note.
    """
    ranks = overall(rows)
    controls = set(rows.loc[rows["control"].astype(bool), "method"])
    ordered = in_order(ranks)
    ordered = (
        [name for name in ordered if name not in controls],
        [name for name in ordered if name in controls],
    )
    shown = {name: _short(f"{name} †" if name in controls else name) for names in ordered for name in names}
    first = _Across("method", pd.Series(shown))
    columns = [first, _Across("mean rank", ranks.map(_rank))]
    columns += _fitting(rows, doubtful, WIDTH - 1 - sum(column.width for column in columns))
    hidden = []
    while sum(column.width for column in columns) >= WIDTH and len(columns) > 2:
        hidden.insert(0, columns.pop().heading)
    own, apart = (
        [[column.entries.get(name, ABSENT) for column in columns] for name in names] for names in ordered
    )
    lines = [*own, *([[""] * len(columns)] if own and apart else []), *apart]
    return Board(text_table([column.heading for column in columns], lines), hidden)


def _fitting(rows: pd.DataFrame, doubtful: Collection[tuple[str, ...]], width: int) -> list[_Across]:
    """A column for each family, or for each metric of those families that have few enough of them for the width."""
    families = {str(name): group for name, group in rows.groupby("metric_family", observed=True, sort=True)}
    metrics = {
        name: [
            _across(f"{metric} {_sign(of)}".strip(), of, doubtful)
            for metric, of in group.groupby("metric", observed=True, sort=True)
        ]
        for name, group in families.items()
    }
    found = {
        name: each if len(each) == 1 else [_across(name, families[name])] for name, each in metrics.items()
    }
    for name in sorted(metrics, key=lambda name: len(metrics[name])):
        wider = {**found, name: metrics[name]}
        if sum(column.width for columns in wider.values() for column in columns) <= width:
            found = wider
    return [column for columns in found.values() for column in columns]


def _across(heading: str, rows: pd.DataFrame, doubtful: Collection[tuple[str, ...]] = ()) -> _Across:
    """One column: scores where it is one metric on one model, else mean ranks; ``★`` for those that may be the best."""
    heading += "" if rows["counts"].any() else f" {FAILS}"
    places = rows[PLACE].drop_duplicates()
    if len(places) == 1:
        shown = {str(row["method"]): _score(row, doubtful) for _, row in rows.iterrows()}
        return _Across(heading, pd.Series(shown))
    if rows["metric"].nunique() > 1:
        heading += f" ({rows['metric'].nunique()})"
    ranks = mean_ranks(rows)
    best = rows.groupby("method", observed=True)["best"].sum()
    shown = {
        method: ABSENT if pd.isna(rank) else f"#{rank:.1f}" + (f" ★{best[method]}" if best[method] else "")
        for method, rank in ranks.items()
    }
    return _Across(heading, pd.Series(shown))


def _score(row: pd.Series, doubtful: Collection[tuple[str, ...]]) -> str:
    if row["status"] != "ok":
        return str(row["status"])
    doubt = "≈" if tuple(row[LABEL]) in doubtful else ""
    best = " ★" if pd.notna(row["best"]) and row["best"] else ""
    return f"{number(row['mean'])}{doubt}{best}"


def _sign(rows: pd.DataFrame) -> str:
    """Whether higher or lower is better; rows without scores do not know."""
    return next((DIRECTION_SIGNS[word] for word in rows["higher_is_better"] if word), "")


def _rank(value: float) -> str:
    return ABSENT if pd.isna(value) else f"{value:.1f}"


def _short(name: str) -> str:
    """A method's name, with dots for its middle where it is long; its end tells settings and controls apart."""
    half = NAME // 2
    return name if len(name) <= NAME else f"{name[:half]}…{name[1 - half :]}"
