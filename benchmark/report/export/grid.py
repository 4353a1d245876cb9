"""A part of a leaderboard as a grid: a row for each method on each model, a column for each metric column."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import XaiboardError
from ...store.glossary import make_glossary, read_said
from ...store.run_file import read_run
from ...store.seal import check_sealed
from ...store.tables import parse_csv, read_cells
from ..column_names import full_names, short_names
from ..leaderboard import LEADERBOARD, is_doubtful
from .selection import Selection, select_rows

ROW = ["dataset", "model", "family", "method"]
"""What names a row of the grid."""

NUMBERS = ("mean", "ci_low", "ci_high", "n", "rank", "rank_low", "rank_high", "seconds")


@dataclass(frozen=True)
class Grid:
    """What is exported.

    Args:
        cells: one row for each cell of the grid: those of ``leaderboard.csv``, with ``column``, the full name of the
            metric column, ``short``, a name for headings, and ``doubtful``, whether its rank has a note.
        rows: names of the rows, in order, with ``control``.
        columns: in order, by their full name: ``short`` and ``higher_is_better``.
        selection: what was asked for.
        facts: seed of the run, digest of its scores, version of the package; where they are known.
    """

    cells: pd.DataFrame
    rows: pd.DataFrame
    columns: pd.DataFrame
    selection: Selection
    facts: dict[str, str]

    @property
    def shown_names(self) -> list[str]:
        """Names in which the rows differ; what is the same for all is said in the caption."""
        return [name for name in ("dataset", "model", "method") if self.rows[name].nunique() > 1] or ["model"]

    @property
    def tells_best(self) -> bool:
        """Whether the best are marked: not where one method alone is shown on models, which are not compared."""
        return self.rows["method"].nunique() > 1 and bool(self.cells["best"].any())

    @property
    def tells_doubt(self) -> bool:
        """Whether there are rank intervals that are to be read with their note."""
        return self.selection.intervals == "rank" and bool(self.cells["doubtful"].any())


def read_grid(folder: Path, selection: Selection) -> Grid:
    """The part of ``leaderboard.csv`` that a selection means.

    Raises:
        XaiboardError: no run in the folder or no leaderboard, a file that is not as it was written, or a pattern that
            means nothing.
    """
    planned = read_cells(folder)
    board = read_leaderboard(folder)
    glossary = make_glossary(planned, board["metric"].unique(), read_said(folder))
    cells = select_rows(board, glossary, selection)
    cells = cells.assign(
        column=full_names(cells),
        short=short_names(cells, glossary),
        doubtful=cells["note"].map(is_doubtful),
    )
    rows = cells[[*ROW, "control"]].drop_duplicates(ROW, ignore_index=True)
    # A cell without scores has no direction; of the same column in another row it is known.
    known = cells.sort_values(["column_place", "metric", "settings", "perturbation", "higher_is_better"])
    columns = known.drop_duplicates("column", keep="last").set_index("column")[["short", "higher_is_better"]]
    return Grid(cells, rows, columns, selection, _facts(folder))


def read_leaderboard(folder: Path) -> pd.DataFrame:
    """``leaderboard.csv``.

    Raises:
        XaiboardError: there is none, or it is not as it was written.
    """
    path = folder / "leaderboard.csv"
    if not path.is_file():
        raise XaiboardError(f"'{path}' is missing; make it with: xaiboard leaderboard {folder}")
    check_sealed(folder, path.name)
    board = parse_csv(path, LEADERBOARD, numbers=NUMBERS, flags=("best", "control"))
    counts = {"n": "Int64", "rank": "Int64", "rank_low": "Int64", "rank_high": "Int64"}
    board["best"] = board["best"].eq(other=True)  # a row without a rank is not among the best
    return board.astype({**counts, "control": bool})


def _facts(folder: Path) -> dict[str, str]:
    run = read_run(folder)
    conditions: dict[str, Any] = dict(run.conditions) if run else {}
    digests = run.seal.files if run and run.seal else {}
    known = {
        "seed": str(conditions.get("seed", "")),
        "digest": digests.get("scores.parquet", ""),
        "version": version("xaiboard"),
    }
    return {name: text for name, text in known.items() if text}
