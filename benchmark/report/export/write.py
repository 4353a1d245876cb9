"""Writes an exported table, without harm to the files of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ...errors import XaiboardError
from ...store.run_file import FILE as RUN
from ...store.run_file import read_run
from ...store.seal import OWN
from ...store.tables import csv_text, write_csv
from ...toolkit.files import write_file
from .grid import Grid
from .text import as_latex, as_markdown
from .wide import as_table, write_parquet

_TEXTS: Mapping[str, Callable[[Grid], str]] = {"latex": as_latex, "markdown": as_markdown}

_TABLES = {"csv": write_csv, "parquet": write_parquet}


def write(grid: Grid, kind: str, path: Path) -> None:
    """Writes the grid as ``csv``, ``parquet``, ``latex`` or ``markdown``; a file is replaced, unless a run needs it.

    Raises:
        XaiboardError: the file belongs to a run, or it cannot be written.
    """
    _check_free(path)
    if kind in _TEXTS:
        text = _TEXTS[kind](grid)
        write_file(path, lambda temporary: temporary.write_text(text, "utf-8"))
    else:
        table = as_table(grid)
        write_file(path, lambda temporary: _TABLES[kind](table, temporary))


def describe(grid: Grid, kind: str) -> str:
    """The same as text.

    Raises:
        XaiboardError: the format is no text.
    """
    if kind in _TEXTS:
        return _TEXTS[kind](grid)
    if kind != "csv":
        raise XaiboardError(f"{kind} is no text for a terminal; name a file with --out")
    return csv_text(as_table(grid))


def _check_free(path: Path) -> None:
    """Refuses to replace a file of a run.

    Raises:
        XaiboardError: it is one.
    """
    if path.is_dir():
        raise XaiboardError(f"'{path}' is a folder; name a file with --out")
    run = read_run(path.parent)
    if run is None:
        return
    own = {RUN, *OWN, *(run.seal.files if run.seal else ())}
    if path.name in own:
        raise XaiboardError(f"'{path}' is a file of the run and would be replaced; name another with --out")
