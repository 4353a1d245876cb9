"""What the command line prints of a run."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import pandas as pd

from ..store.glossary import FILE
from ..store.maps import IMAGES, MAPS
from ..toolkit.terminal import line_width
from .board import FAILS, Board, board
from .drawing.formats import figure_names
from .markdown import plain
from .order import ranked
from .results import Results
from .section import sections
from .sections.models import models
from .worth_knowing import worth_knowing
from .write import PAGE

FEW = 2
"""Models that have a table each; of more there is one table of their mean ranks."""

HOW_TO_READ = (
    "# and mean rank: over columns that pass their controls (all where none does), then over families of metrics, then"
    " models; 1 is best. ★ in the set of the best (a number: in how many columns), ≈ see its note in leaderboard.csv,"
    f" ↑ higher is better, ↓ lower, † control, {FAILS} no column passes its controls (health.csv), –"
    " a score is missing."
)

_REPORT = "report.html"


def describe_run(folder: Path, results: Results) -> str:
    """What ``xaiboard run`` prints at the end: a short leaderboard, what is worth knowing, and where the files are.

    No line is longer than the terminal is wide, see :func:`~..toolkit.terminal.line_width`.
    """
    parts = []
    for dataset in results.datasets:
        parts.append(
            f"{dataset}: models (all columns: models.csv)\n" + plain(_fitting(models(results, dataset)))
        )
        parts += _boards(results, dataset)
    parts += [fill(sentence, line_width(), subsequent_indent="  ") for sentence in worth_knowing(results)]
    parts.append(describe_files(folder))
    return "\n".join(parts)


def boards(results: Results, dataset: str) -> list[tuple[str, Board]]:
    """The leaderboard of each of few models, or one of all together, with titles; none where there is no method."""
    rows = ranked(results, dataset)
    names = list(rows["model"].unique())
    tables = [(name, rows[rows["model"] == name]) for name in names]
    if len(names) > FEW:
        tables = [(f"{len(names)} models, mean ranks over all of them", rows)]
    return [
        (f"{dataset}: methods on {name}", board(table, results.doubtful, line_width()))
        for name, table in tables
    ]


def _boards(results: Results, dataset: str) -> list[str]:
    parts = []
    for title, made in boards(results, dataset):
        said = [f"Without a rank: {', '.join(made.empty)}."] if made.empty else []
        said += [f"No room for: {', '.join(made.hidden)}."] if made.hidden else []
        parts.append(f"{title}\n{made.text}{fill(' '.join(said), line_width())}".rstrip("\n") + "\n")
    return [*parts, fill(HOW_TO_READ, line_width()) + "\n"] if parts else []


def _fitting(table: pd.DataFrame) -> pd.DataFrame:
    """The first columns of a table, as many as there is room for."""
    widths = [max(map(len, [str(name), *table[name].astype(str)])) + 3 for name in table]
    ends = pd.Series(widths).cumsum()
    return table[[name for name, end in zip(table, ends, strict=True) if end < line_width()]]


def describe_status(cells: pd.DataFrame) -> str:
    """Counts of cells by status, and each cell that is missing, failed or inapplicable."""
    counts = cells["status"].value_counts()
    text = ", ".join(f"{counts.get(name, 0)} {name}" for name in ("ok", "missing", "failed", "inapplicable"))
    absent = cells[cells["status"] != "ok"]
    shown = absent[["status", "dataset", "model", "method", "metric", "settings", "note"]].sort_values(
        "status"
    )
    return f"{len(cells)} cells: {text}" + ("\n" + plain(shown) if len(absent) else "")


def describe_files(folder: Path) -> str:
    """Where the page, the tables and the figures are, what is read first at the front."""
    names = files(folder)
    page = f"page: {folder / _REPORT}\n" if _REPORT in names else ""
    said = f"{folder}/: " + ", ".join(names)
    return page + fill(
        said, line_width(), subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )


def files(folder: Path) -> list[str]:
    """Names of the files in the folder of a run that people read."""
    tables = [name for section in sections() for name in section.files]
    names = [_REPORT, PAGE, *sorted(tables, key=lambda name: not name.startswith("leaderboard"))]
    names += ["cells.csv", FILE, "scores.parquet", "curves.csv", MAPS, IMAGES, *figure_names(folder)]
    return [name for name in names if (folder / name).is_file()]
