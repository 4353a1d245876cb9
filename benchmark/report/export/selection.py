"""Which part of a leaderboard is exported: patterns of methods, metric columns, models and data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from ...errors import XaiboardError, unknown
from ...store.glossary import Glossary
from ...toolkit.labels import Label, split_labels
from ...toolkit.patterns import matches, read_pattern
from ..comparison.question import matching_columns

Intervals = Literal["none", "ci", "rank"]


@dataclass(frozen=True)
class Selection:
    """A part of a leaderboard. Of each kind, no pattern stands for all.

    Args:
        rows: patterns of methods; the rows stand in their order.
        columns: patterns of metric columns; the columns stand in their order.
        models: patterns of models.
        datasets: patterns of data sets.
        intervals: what stands beside each mean: its 95 % interval (``ci``), the interval of its rank (``rank``), or
            nothing.
    """

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    intervals: Intervals = "none"


def read_selection(
    *, rows: str = "", columns: str = "", model: str = "", dataset: str = "", intervals: str = "none"
) -> Selection:
    """The selection in the words of the command line.

    Raises:
        XaiboardError: no such intervals.
    """
    known: Mapping[str, Intervals] = {each: each for each in get_args(Intervals)}
    if intervals not in known:
        raise XaiboardError(f"intervals '{intervals}' given; write one of: {', '.join(known)}")
    of_rows, of_columns, models, datasets = (
        tuple(split_labels(text)) for text in (rows, columns, model, dataset)
    )
    return Selection(of_rows, of_columns, models, datasets, known[intervals])


def select_rows(board: pd.DataFrame, glossary: Glossary, selection: Selection) -> pd.DataFrame:
    """The rows of a leaderboard that a selection means, in its order: by data set and model, then as patterns stand.

    Rows of metrics that judge the network alone have no method; they are taken where nothing else is selected.

    Args:
        board: the leaderboard.
        glossary: what the names in it stand for.
        selection: what is wanted.

    Returns:
        The rows, with ``column_place``: the number of the first pattern that means the row's metric column.

    Raises:
        XaiboardError: a pattern means nothing, or columns with and without a method are selected together.
    """
    board = board[board["dataset"].isin(_placed("data set", board["dataset"], selection.datasets))]
    board = board[board["model"].isin(_placed("model", board["model"], selection.models))]
    judged = board["method"] != ""
    if selection.rows or (not selection.columns and judged.any()):
        board = board[judged]
    places = _placed("method", board["method"], selection.rows, glossary.methods)
    board = board[board["method"].isin(places)]
    board = board.assign(column_place=_column_places(board, glossary, selection.columns))
    board = board[board["column_place"] >= 0]
    alone = board["method"] == ""
    if alone.any() and not alone.all():
        raise XaiboardError(
            f"'{board['metric'][alone].iloc[0]}' judges the network alone and has no methods; select such columns"
            " without others"
        )
    order = board["method"].map(places)
    board = board.assign(row_place=order, last=board["control"].astype(bool))
    by = ["dataset", "model", "row_place", "last", "method", "column_place"]
    return board.sort_values(by, kind="stable").drop(columns=["row_place", "last"])


def _column_places(board: pd.DataFrame, glossary: Glossary, patterns: Sequence[str]) -> np.ndarray:
    """The number of the first pattern that means each row's metric column; -1 for none, 0 without patterns."""
    places = np.full(len(board), -1 if patterns else 0)
    for place, pattern in reversed(list(enumerate(patterns))):
        places[matching_columns(board, [pattern], glossary)] = place
    return places


def _placed(
    kind: str, names: pd.Series, patterns: Sequence[str], labels: Mapping[str, Label] | None = None
) -> dict[str, int]:
    """The number of the first pattern that means a name, for each name that one means; 0 without patterns.

    Raises:
        XaiboardError: a pattern means none of the names.
    """
    known = {text: (labels or {}).get(text) or Label(text, {}) for text in names.unique()}
    if not patterns:
        return dict.fromkeys(known, 0)
    place: dict[str, int] = {}
    for number, pattern in enumerate(patterns):
        wanted = read_pattern(pattern)
        found = [pattern] if pattern in known else [each for each in known if matches(wanted, *known[each])]
        if not found:
            raise unknown(kind, pattern, known)
        place = {**dict.fromkeys(found, number), **place}
    return place
