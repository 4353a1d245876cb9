"""The files of a run as tables: one row a cell, one row a score, one row a point of a curve.

They are compared with their seal before they are read, and sealed when they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import XaiboardError
from ..toolkit.inert import csv_cell, from_csv_cell
from ..toolkit.labels import read_metric_column
from .cell_digests import cell_digests
from .columns import CELLS, CURVES, SCORES, WORDS
from .damage import DamagedError
from .run_file import read_run, write_run
from .score_bounds import beyond_words, own_metrics, rows_beyond, run_beyond
from .score_runs import Run, runs_of_file
from .seal import as_found, check_sealed, replace_sealed, unproven
from .unpacked import Unpacked

ADVICE = "restore it or run again"

CURVES_FILE, SMALL_CURVES = "curves.csv", "curves.parquet"
"""The mean curves; and a twentieth of that file, which published copies have in its place."""


def read_cells(folder: Path) -> pd.DataFrame:
    """``cells.csv``: one row for each planned cell.

    Raises:
        XaiboardError: there is none, it cannot be read, or it is not as it was written.
    """
    path = folder / "cells.csv"
    check_sealed(folder, path.name)
    if not path.is_file():
        raise XaiboardError(
            f"no run in '{folder}': it has no cells.csv; name a folder that 'xaiboard run' wrote"
        )
    return parse_cells(path)


def read_scores(
    folder: Path, *, model: str | None = None, columns: Collection[str] | None = None
) -> pd.DataFrame:
    """``scores.parquet``: one row for each sample of each column of each finished cell.

    Args:
        folder: of the run.
        model: whose scores are read; None for all.
        columns: of metrics, as they stand in ``metric``, whose scores are read; None for all.

    Raises:
        XaiboardError: there is none, it cannot be read, or it is not as it was written.
    """
    path = sealed_scores(folder)
    scores = parse_scores(path, model=model, metrics=columns)
    for row in scores_beyond(folder, scores).head(1).to_dict("records"):
        what = beyond_words(row["metric"], row["metric_version"], row["sample"], row["score"])
        raise DamagedError(path, f"{what}, for '{row['method']}' on '{row['model']}'", ADVICE)
    return scores


def sealed_scores(folder: Path) -> Path:
    """Where ``scores.parquet`` is, as it was written.

    Raises:
        XaiboardError: there is none, or it is not as it was written.
    """
    path = folder / "scores.parquet"
    check_sealed(folder, path.name)
    if not path.is_file():
        raise XaiboardError(f"'{path}' is missing; {ADVICE}")
    return path


def sealed_runs(folder: Path) -> Iterator[Run]:
    """As :func:`read_scores`, run by run, so that no table of all scores is ever in memory."""
    path = sealed_scores(folder)
    own: set[str] | None = None
    for run in runs_of_file(path):
        place = run_beyond(run)
        if place is not None:
            if own is None:
                cells = folder / "cells.csv"
                own = own_metrics(parse_cells(cells)) if cells.is_file() else set()
            metric = str(run.names["metric"])
            if read_metric_column(metric).metric not in own:
                sample, score = (run.values[name][place] for name in ("sample", "score"))
                what = beyond_words(metric, run.names["metric_version"], sample, score)
                raise DamagedError(
                    path, f"{what}, for '{run.names['method']}' on '{run.names['model']}'", ADVICE
                )
        yield run


def unpack_scores(
    folder: Path, *, model: str | None = None, columns: Collection[str] | None = None
) -> Unpacked:
    """As :func:`read_scores`, block by block."""
    return Unpacked(
        run
        for run in sealed_runs(folder)
        if model in (None, run.names["model"]) and (columns is None or run.names["metric"] in columns)
    )


def scores_beyond(folder: Path, scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of the scores that lie beyond the range of their built-in metric, see :mod:`.score_bounds`."""
    beyond, cells = rows_beyond(scores), folder / "cells.csv"
    if not len(beyond) or not cells.is_file():
        return beyond
    metric = beyond["metric"].map(lambda text: read_metric_column(str(text)).metric)
    return beyond[~metric.isin(own_metrics(parse_cells(cells)))]


def read_curves(folder: Path) -> pd.DataFrame:
    """``curves.csv``: one row for each point of each mean curve; no rows where the run has none.

    Raises:
        DamagedError: it cannot be read, or it is not as it was written.
    """
    path, small = folder / CURVES_FILE, folder / SMALL_CURVES
    if small.is_file() and not path.is_file():
        check_sealed(folder, small.name)
        try:
            return _columns(pq.read_table(small).to_pandas(), CURVES)
        except Exception as error:  # a decoder of damaged bytes may raise anything
            raise DamagedError(small, error, ADVICE) from None
    check_sealed(folder, path.name)
    return _read_curves_csv(path) if path.is_file() else pd.DataFrame(columns=CURVES)


def _read_curves_csv(path: Path) -> pd.DataFrame:
    try:
        table = _columns(pd.read_csv(path, keep_default_na=False), CURVES)
    except (OSError, ValueError) as error:
        raise DamagedError(path, error, ADVICE) from None
    return _texts(table, from_csv_cell)


def parse_cells(path: Path) -> pd.DataFrame:
    """As :func:`read_cells`, whatever the seal says."""
    return parse_csv(path, CELLS, numbers=("n", "seconds", "forward", "backward"), flags=("control",))


def parse_csv(
    path: Path, columns: Sequence[str], *, numbers: Collection[str], flags: Collection[str] = ()
) -> pd.DataFrame:
    """The columns of a CSV that :func:`write_csv` wrote; all others than ``numbers`` and ``flags`` are texts.

    Raises:
        DamagedError: it cannot be read, or a column is missing.
    """
    words = {name: str for name in columns if name not in (*numbers, *flags)}
    missing = {name: [""] for name in (*numbers, *flags)}
    try:
        table = _columns(pd.read_csv(path, dtype=words, keep_default_na=False, na_values=missing), columns)
    except (OSError, ValueError) as error:
        raise DamagedError(path, error, ADVICE) from None
    return _texts(table, from_csv_cell)


def _columns(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Raises ValueError if a column is missing."""
    if absent := [name for name in names if name not in table]:
        raise ValueError(f"it has no column '{absent[0]}'")
    return table[list(names)]


def parse_scores(
    path: Path,
    *,
    model: str | None = None,
    metrics: Collection[str] | None = None,
    columns: Sequence[str] = SCORES,
) -> pd.DataFrame:
    """Some columns, as :func:`read_scores`, whatever the seal and the ranges say."""
    only: list[tuple[str, str, Any]] = [] if model is None else [("model", "=", model)]
    only += [] if metrics is None else [("metric", "in", sorted(metrics))]
    try:
        return pq.read_table(path, columns=list(columns), filters=only or None).to_pandas()
    except Exception as error:  # a decoder of damaged bytes may raise anything
        raise DamagedError(path, error, ADVICE) from None


def write_tables(
    folder: Path,
    cells: pd.DataFrame,
    scores: pd.DataFrame,
    curves: pd.DataFrame,
    digests: Mapping[str, str] | None = None,
    *,
    small: bool = False,
    unverified: Collection[str] | None = None,
) -> None:
    """Replaces and seals ``cells.csv``, ``scores.parquet`` and, where there are rows, ``curves.csv``.

    Args:
        folder: of the run.
        cells: one row a cell.
        scores: one row a score.
        curves: one row a point of a curve.
        digests: of the cells, if they are known.
        small: whether the curves are written as ``curves.parquet``.
        unverified: keys of cells that are sealed as they were found; None for those in the tables that were there.
    """
    file, other = (SMALL_CURVES, CURVES_FILE) if small else (CURVES_FILE, SMALL_CURVES)
    cells, scores = _typed_cells(cells), _typed_scores(scores)
    writers: dict[str, Callable[[Path], object]] = {
        # scores come first, so that no cell is ever without them
        "scores.parquet": lambda path: _write_parquet(scores, path),
        "cells.csv": lambda path: write_csv(cells, path),
    }
    if len(curves):
        write_curves = _write_small_curves if small else write_csv
        writers = {file: lambda path: write_curves(curves, path), **writers}
    known = cell_digests(cells, scores) if digests is None else digests
    replace_sealed(folder, writers, known, unproven(folder, known) if unverified is None else unverified)
    _remove(folder, other)


def _remove(folder: Path, name: str) -> None:
    """Removes a file that another one stands for now, and its seal."""
    if not (folder / name).is_file():
        return
    run = read_run(folder)
    if run is not None and run.seal is not None:
        files = {known: digest for known, digest in run.seal.files.items() if known != name}
        write_run(folder, replace(run, seal=replace(run.seal, files=files)))
    (folder / name).unlink()


def seal_as_found(folder: Path) -> None:
    """Seals tables that had no seal, after a warning that they are taken as they are, and marked so."""
    run = read_run(folder)
    if run is not None and run.seal is None:
        cells = cell_digests(read_cells(folder), sealed_runs(folder))
        write_run(folder, replace(run, seal=replace(as_found(folder), cells=cells)))


def _typed_cells(cells: pd.DataFrame) -> pd.DataFrame:
    table = cells.reindex(columns=CELLS)
    for name in ("n", "forward", "backward"):
        table[name] = pd.to_numeric(table[name]).astype("Int64")
    table["seconds"] = pd.to_numeric(table["seconds"])
    return table


def _typed_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Words become categories, and scores float32."""
    table = scores[SCORES].reset_index(drop=True)
    for name in WORDS:
        table[name] = table[name].astype(str).astype("category")
    for name in ("score", "weight"):
        table[name] = table[name].astype(np.float32)
    return table


def _write_parquet(scores: pd.DataFrame, path: Path) -> None:
    arrow = pa.Table.from_pandas(scores, preserve_index=False).replace_schema_metadata(None)
    # A dictionary of scores would be as large as the scores. The annotation of pyarrow knows no list of columns.
    repeated: Any = [name for name in SCORES if name != "score"]
    pq.write_table(arrow, path, compression="zstd", compression_level=12, use_dictionary=repeated)


def _write_small_curves(curves: pd.DataFrame, path: Path) -> None:
    """Six significant digits, as CSV has them, and words once: a twentieth of the CSV."""
    table = curves[CURVES].reset_index(drop=True)
    for name in CURVES[:-2]:
        table[name] = table[name].astype(str).astype("category")
    for name in CURVES[-2:]:
        table[name] = [float(f"{value:.6g}") for value in table[name]]
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path, compression="zstd", compression_level=12)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Writes :func:`csv_text`."""
    path.write_text(csv_text(table), "utf-8", newline="")


def csv_text(table: pd.DataFrame) -> str:
    """A CSV with six significant digits, the same bytes on every system; no text in it starts a formula."""
    inert = _texts(table, csv_cell).rename(columns=lambda name: csv_cell(str(name)))
    return inert.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """The table with its texts changed; numbers are left alone."""
    changed = table.copy(deep=False)
    for name, column in table.select_dtypes(include=["object", "string", "category"]).items():
        texts = {text: change(text) for text in column.unique() if isinstance(text, str)}
        if any(text != known for known, text in texts.items()):  # seldom, and there are many rows
            changed[name] = column.map(lambda value, texts=texts: texts.get(value, value))
    return changed
