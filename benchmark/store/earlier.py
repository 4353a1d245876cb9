"""The tables that an earlier run left in a folder, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..toolkit.labels import read_metric_column
from .columns import CELLS, CURVES, LABEL, SCORES
from .damage import DamagedError
from .merging import Row, label_of
from .tables import read_cells, read_curves, read_scores

NAMES = ("cells.csv", "scores.parquet", "curves.csv")


class EarlierTables:
    """The tables as an earlier run left them, each read when a row of it is kept; empty where one is absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.complete = all((folder / name).exists() for name in NAMES[:2])

    def drop_damaged(self) -> DamagedError | None:
        """Leaves all tables out if one is not as it was written; what is wrong, or None."""
        try:
            _ = self.cells, self._scores, self._curves
        except DamagedError as error:
            self.complete = False
            for name in ("cells", "_scores", "_curves"):
                vars(self).pop(name, None)
            return error
        return None

    @cached_property
    def cells(self) -> pd.DataFrame:
        """``cells.csv``."""
        return read_cells(self.folder) if self.complete else pd.DataFrame(columns=CELLS)

    @property
    def scores(self) -> pd.DataFrame:
        """``scores.parquet``."""
        return self._scores[0]

    @property
    def curves(self) -> pd.DataFrame:
        """``curves.csv``."""
        return self._curves[0]

    def scores_of(self, row: Row) -> pd.DataFrame:
        """The scores of a cell, all columns of its metric."""
        table, places = self._scores
        return table.iloc[places.get(label_of(row), [])]

    def curves_of(self, row: Row) -> pd.DataFrame:
        """The curves of a cell."""
        table, places = self._curves
        return table.iloc[places.get(label_of(row), [])]

    @property
    def finished(self) -> dict[str, Row]:
        """Rows of finished cells by key: those that have scores too, whatever the table of cells says."""
        return {
            str(row["key"]): row
            for row in self.cells.to_dict("records")
            if row["status"] == "ok" and label_of(row) in self._scores[1]
        }

    @cached_property
    def _scores(self) -> tuple[pd.DataFrame, Mapping[Any, Any]]:
        return _placed(read_scores(self.folder) if self.complete else pd.DataFrame(columns=SCORES))

    @cached_property
    def _curves(self) -> tuple[pd.DataFrame, Mapping[Any, Any]]:
        return _placed(read_curves(self.folder) if self.complete else pd.DataFrame(columns=CURVES))


def _placed(table: pd.DataFrame) -> tuple[pd.DataFrame, Mapping[Any, Any]]:
    """A long table, and where the rows of each cell are in it, those of all columns of its metric."""
    if not len(table):
        return table, {}
    words = table[LABEL].astype(str)
    metrics = {text: read_metric_column(text).metric for text in words["metric"].unique()}
    return table, words.assign(metric=words["metric"].map(metrics)).groupby(LABEL, sort=False).indices
