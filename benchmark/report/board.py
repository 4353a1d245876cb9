"""The leaderboard for a terminal: methods by mean rank, families of metrics across, controls apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

from ..store.columns import LABEL
from ..toolkit.terminal import WIDTH
from ..toolkit.text_table import text_table
from .markdown import DIRECTION_SIGNS, number
from .order import PLACE, in_order, mean_ranks, ranks_of

NAME = 40
"""Signs of a method's name at most."""

ABSENT = "–"

FAILS = "‡"
"""Marks headings without a column that passes its controls."""


class Board(NamedTuple):
    """A table for a terminal.

    Args:
        headings: of the table.
        lines: of the table; an empty one is between methods and controls.
        hidden: headings for which there was no room.
        empty: headings of columns that have no entry for any method.
    """

    headings: list[str]
    lines: list[list[str]]
    hidden: list[str]
    empty: list[str]

    @property
    def text(self) -> str:
        """The table, in lines of at most as many signs as it was made for."""
        return text_table(self.headings, self.lines)


class _Across(NamedTuple):
    """A column of the board, or the columns of a family of metrics that would be: headings, and an entry a method."""

    heading: str
    entries: Mapping[str, str]

    @property
    def width(self) -> int:
        return max(map(len, [self.heading, *self.entries.values()])) + 3


def board(rows: pd.DataFrame, doubtful: Collection[tuple[str, ...]] = (), width: int = WIDTH) -> Board:
    """The methods in :func:`.order.ranked` rows of one data set, the best mean rank first, controls behind the others.

    A family of metrics is a column of mean ranks, named columns of metrics included; it is a column for each plain
    score of its metrics as far as these fit.

    Args:
        rows: of one model or several.
        doubtful: names of rows whose rank is to be read with its note.
        width: signs in a line at most.
    """
    ranks = ranks_of(rows)
    mean = mean_ranks(ranks)
    controls = set(rows.loc[rows["control"].astype(bool), "method"])
    methods, apart = in_order(mean, but=controls), in_order(mean, but=set(mean.index) - controls)
    names = {name: _short(f"{name} †" if name in controls else name) for name in (*methods, *apart)}
    columns = [_Across("method", names), _Across("mean rank", {name: _rank(mean[name]) for name in names})]
    across = _fitting(rows, ranks, doubtful, width - 1 - sum(column.width for column in columns))
    empty = [column.heading for column in across if set(column.entries.values()) == {ABSENT}]
    columns += [column for column in across if column.heading not in empty]
    hidden = []
    while sum(column.width for column in columns) >= width and len(columns) > 2:
        hidden.insert(0, columns.pop().heading)
    lines = [[column.entries.get(name, ABSENT) for column in columns] for name in (*methods, *apart)]
    if methods and apart:
        lines.insert(len(methods), [""] * len(columns))
    return Board([column.heading for column in columns], lines, hidden, empty)


def _fitting(
    rows: pd.DataFrame, ranks: pd.DataFrame, doubtful: Collection[tuple[str, ...]], width: int
) -> list[_Across]:
    """A column for each family, or for each metric of those families that have few enough of them for the width."""
    families = {str(name): group for name, group in rows.groupby("metric_family", observed=True, sort=True)}
    metrics = {
        name: [
            _across(f"{metric} {_sign(of)}".strip(), of, ranks, doubtful)
            for metric, of in group[group["plain"]].groupby("metric", observed=True, sort=True)
        ]
        for name, group in families.items()
    }
    found = {
        name: each if len(each) == 1 else [_across(f"{name} ({len(each)})", families[name], ranks, doubtful)]
        for name, each in metrics.items()
    }
    for name in sorted(metrics, key=lambda name: len(metrics[name])):
        wider = {**found, name: metrics[name]}
        if sum(column.width for columns in wider.values() for column in columns) <= width:
            found = wider
    return [column for columns in found.values() for column in columns]


def _across(
    heading: str, rows: pd.DataFrame, ranks: pd.DataFrame, doubtful: Collection[tuple[str, ...]]
) -> _Across:
    """One column: scores where it is one metric on one model, else mean ranks; ``★`` for those that may be the best.

    Ranks are of the columns that pass their controls; where none does, only the stars are shown.
    """
    heading += "" if rows["counts"].any() else f" {FAILS}"
    if len(rows[PLACE].drop_duplicates()) == 1:
        return _Across(heading, {str(row["method"]): _score(row, doubtful) for _, row in rows.iterrows()})
    known = rows[rows["counts"]] if rows["counts"].any() else rows
    places = pd.MultiIndex.from_frame(known[["metric_family", *PLACE]].astype(str).drop_duplicates())
    mean = mean_ranks(ranks[ranks.columns[ranks.columns.isin(places)]])
    best = known.groupby("method", observed=True)["best"].sum().to_dict()
    entries = {}
    for method, rank in mean.items():
        stars = f" ★{best[method]}" if best.get(method) else ""
        entries[str(method)] = ABSENT if pd.isna(rank) else f"#{rank:.1f}{stars}"
    return _Across(heading, entries)


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
