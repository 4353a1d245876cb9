"""Compares every file of a run with what is known of how it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import XaiboardError
from ..toolkit.labels import read_metric_column
from .cell_digests import cell_digests
from .columns import LABEL
from .damage import DamagedError
from .merging import label_of
from .records import Store
from .run_file import FILE, RunFile, Seal, check_schema, read_run
from .score_bounds import beyond_words
from .score_runs import runs_of_file
from .seal import OWN, mismatch
from .tables import parse_cells, parse_scores, scores_beyond
from .verify_records import UNSEALED, count_unsealed, verify_records

AS_FOUND = (
    "and nothing shows that this is as it was written; compute it again, or restore the folder from a copy"
)
"""What is said of what had no seal when it was sealed."""


class Verified(NamedTuple):
    """What has been found of the files of a run.

    Args:
        problems: what is wrong with them, a line each.
        intact: how many files are as they were written.
        unsealed: how many records have no seal beside their own digest, since no table is made of them yet.
    """

    problems: list[str]
    intact: int
    unsealed: int


def verify(folder: Path) -> Verified:
    """Compares all files of a run with their digests, and its records with the seal of the tables too.

    Raises:
        XaiboardError: no run in the folder, or one of another schema version.
    """
    store = Store(folder)
    if not any((folder / name).exists() for name in (FILE, *OWN)) and not store.plan_files():
        raise XaiboardError(
            f"no run in '{folder}': it has no {FILE}; name a folder that 'xaiboard run' wrote"
        )
    with store.lock(reading=True):
        run, of_run = _run_file(folder)
        sealed = run.seal.cells.keys() if run and run.seal else set()
        found = [of_run, *_sealed_files(folder, run), *verify_records(store, sealed)]
        said = [*found, *_changed_cells(folder, run), *_doubted_cells(run), *_beyond_range(folder)]
        problems = [text for text in said if text not in ("", UNSEALED)]
    if without := found.count(UNSEALED):
        problems.append(
            f"{without} files in '{store.records}' have no digest, as earlier versions wrote them"
        )
    return Verified(problems, found.count(""), count_unsealed(store, sealed) if run and run.seal else 0)


def _run_file(folder: Path) -> tuple[RunFile | None, str]:
    """What ``run.json`` says, if it can be read, and what is wrong with it."""
    try:
        run = read_run(folder)
    except DamagedError as error:
        return None, error.what
    if run is None:
        return None, f"'{folder / FILE}' is missing: nothing shows that the tables are as they were written"
    check_schema(folder)
    return (
        run,
        "" if run.seal else f"'{folder / FILE}' has no seal of the tables, as earlier versions wrote it",
    )


def _sealed_files(folder: Path, run: RunFile | None) -> Iterator[str]:
    """For each file that is sealed or ought to be: what is wrong with it, or nothing."""
    if run is None or run.seal is None:
        return  # it has been said of all
    for name in sorted({*run.seal.files, *(name for name in OWN if (folder / name).exists())}):
        path, known = folder / name, run.seal.known(name)
        if not path.exists():
            yield f"'{path}' is missing"
        else:
            found = mismatch(path, known)
            marked = name in run.seal.unverified
            said = f"'{path}' was sealed as it was found, {AS_FOUND}" if marked else ""
            yield f"'{path}' is damaged ({found})" if found else said


def _changed_cells(folder: Path, run: RunFile | None) -> list[str]:
    """The cells whose scores in changed tables are not those that were sealed, where these can be read at all."""
    if run is None or run.seal is None:
        return []
    if all(mismatch(folder / name, run.seal.known(name)) is None for name in ("cells.csv", "scores.parquet")):
        return []
    try:
        found = cell_digests(parse_cells(folder / "cells.csv"), runs_of_file(folder / "scores.parquet"))
    except XaiboardError:
        return []  # it has been said of the file
    changed = sorted(key for key, digest in run.seal.cells.items() if found.get(key) != digest)
    added = sorted(found.keys() - run.seal.cells.keys())
    return [
        *(
            f"cell {key}: its scores in '{folder / 'scores.parquet'}' are not those that were written"
            for key in changed
        ),
        *(f"cell {key}: its scores in '{folder / 'scores.parquet'}' were added" for key in added),
    ]


def _doubted_cells(run: RunFile | None) -> list[str]:
    """The cells whose scores had no seal and no digest when the tables were sealed."""
    seal = run.seal if run and run.seal else Seal()
    return [
        f"cell {key}: its scores were sealed as they were found, {AS_FOUND}"
        for key in seal.unverified
        if key in seal.cells
    ]


def _beyond_range(folder: Path) -> Iterator[str]:
    """The cells whose scores in the tables no metric of theirs can give, column by column, where these can be read."""
    try:
        cells = parse_cells(folder / "cells.csv")
        columns = [*LABEL, "sample", "score", "metric_version"]
        beyond = scores_beyond(folder, parse_scores(folder / "scores.parquet", columns=columns))
    except XaiboardError:
        return  # it has been said of the file
    keys = {label_of(row): row["key"] for row in cells[["key", *LABEL]].to_dict("records")}
    for _, rows in beyond.groupby(LABEL, observed=True, sort=False):
        first = rows.iloc[0].to_dict()
        key = keys.get(label_of({**first, "metric": read_metric_column(first["metric"]).metric}), "unknown")
        what = beyond_words(first["metric"], first["metric_version"], first["sample"], first["score"])
        yield f"cell {key}: {what}" + (f", and neither are {len(rows) - 1} others" if len(rows) > 1 else "")
