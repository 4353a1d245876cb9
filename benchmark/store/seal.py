"""The seal of a run's files: written with them into ``run.json``, and compared before they are read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path

from ..errors import warn
from ..toolkit.files import require_regular, temporary_file, writing
from .damage import DamagedError, warn_unverified
from .run_file import Seal, read_run, write_run

OWN = (
    "cells.csv", "scores.parquet", "curves.csv", "curves.parquet", "columns.json", "maps.parquet", "images.parquet"
)  # fmt: skip
"""Files that are read again, and that are sealed therefore before anything else of a folder is."""

TABLES = OWN[:4]
"""Those that have a part of each cell."""

REWRITTEN = (*TABLES, "columns.json")
"""Those of which nothing unknown is left when they are replaced; maps are joined to those that were there."""


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def check_sealed(folder: Path, name: str) -> None:
    """Compares a file with the seal of its folder; warns where the folder has none, or the file is missing from it.

    Raises:
        DamagedError: the file is not as it was written, or ``run.json`` is not.
    """
    path, run = folder / name, read_run(folder)
    known = run.seal.known(name) if run and run.seal else set()
    if not path.exists():
        if known:
            warn(f"'{path}' is missing, although 'run.json' names it: what only it says is left out")
    elif run is None or run.seal is None:
        warn_unverified(folder)
    elif (found := mismatch(path, known)) is not None:
        raise DamagedError(path, found, f"restore it or run again; {_usable(folder, run.seal)}")
    elif name in run.seal.unverified or (
        name in TABLES and not run.seal.cells.keys().isdisjoint(run.seal.unverified)
    ):
        warn_unverified(folder)


def mismatch(path: Path, known: set[str]) -> str | None:
    """What is wrong with a file that ought to have one of the digests; None if nothing is."""
    try:
        require_regular(path)
        found = digest_of(path)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    if not known:
        return "'run.json' has no seal of it"
    return None if found in known else "it does not fit its seal in 'run.json'"


def replace_sealed(
    folder: Path,
    writers: Mapping[str, Callable[[Path], object]],
    cells: Mapping[str, str] | None = None,
    unverified: Collection[str] = (),
) -> None:
    """Replaces files and seals them. A process that is killed meanwhile leaves each of them old or new, and sealed.

    Args:
        folder: of the run; where it has no ``run.json``, nothing is sealed.
        writers: what fills each file, by name.
        cells: digests of the cells, as the new files have them; None where the files have no cells.
        unverified: keys of those cells of which nothing has shown that their scores are as they were written.

    Raises:
        XaiboardError: the disk is full or not writable, or ``run.json`` is damaged.
    """
    run = read_run(folder)
    with writing(folder), ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        new = {name: stack.enter_context(temporary_file(folder / name, writers[name])) for name in writers}
        if run is None:
            for name, path in new.items():
                path.replace(folder / name)
            return
        earlier = {name: digest_of(folder / name) for name in new if (folder / name).is_file()}
        if run.seal is not None:  # a file that did not fit its seal never fits a later one
            earlier = {name: digest for name, digest in earlier.items() if digest in run.seal.known(name)}
        before = run.seal or as_found(folder)
        files = {**before.files, **{name: digest_of(path) for name, path in new.items()}}
        fresh = {name for name in new if name in REWRITTEN or not (folder / name).is_file()}
        marked = set(before.unverified) - fresh
        if cells is not None:
            marked = (marked & set(OWN)) | (cells.keys() & set(unverified))
        seal = Seal(files, earlier, before.cells if cells is None else cells, tuple(sorted(marked)))
        write_run(folder, replace(run, seal=seal))
        for name, path in new.items():
            path.replace(folder / name)
        write_run(folder, replace(run, seal=replace(seal, earlier={})))


def as_found(folder: Path) -> Seal:
    """A seal of the files as they stand in a folder that had none, without its cells; all are marked as unverified.

    Not so ``columns.json``, which is made anew with the tables.
    """
    files = {name: digest_of(folder / name) for name in OWN if (folder / name).is_file()}
    return Seal(files, unverified=tuple(sorted(files.keys() - {"columns.json"})))


def unproven(folder: Path, keys: Iterable[str]) -> set[str]:
    """Those cells in the tables of a folder of which no seal shows that their scores are as they were written."""
    run = read_run(folder)
    if run is None or run.seal is None or "scores.parquet" in run.seal.unverified:
        return set(keys)
    return set(keys) & set(run.seal.unverified)


def pass_doubts_on(source: Path, target: Path, names: Collection[str]) -> None:
    """Marks files in ``target`` as unverified whose content comes from those in ``source`` that are."""
    there, here = read_run(source), read_run(target)
    doubted = set(names) if there is None or there.seal is None else set(names) & set(there.seal.unverified)
    if here is not None and here.seal is not None and (new := doubted & here.seal.files.keys()):
        marked = tuple(sorted({*here.seal.unverified, *new}))
        write_run(target, replace(here, seal=replace(here.seal, unverified=marked)))


def seal_files(folder: Path, names: Iterable[str], *, only: bool = False) -> None:
    """Seals files that follow from the sealed ones; where the tables have no seal, nothing is sealed.

    Args:
        folder: of the run.
        names: of the files, as they stand in the folder now.
        only: whether the seals of all other files are dropped.
    """
    run = read_run(folder)
    if run is None or run.seal is None:
        return
    seal = run.seal
    digests = {name: digest_of(folder / name) for name in names if (folder / name).is_file()}
    files = {**({} if only else seal.files), **digests}
    write_run(folder, replace(run, seal=replace(seal, files=dict(sorted(files.items())))))


def _usable(folder: Path, seal: Seal) -> str:
    """Says which files of the folder are as they were written."""
    intact = [
        name
        for name in sorted(seal.files)
        if (folder / name).is_file() and mismatch(folder / name, seal.known(name)) is None
    ]
    names = ", ".join(intact) or "none of the other files"
    return f"as they were written are {names} ('xaiboard verify {folder}' says more)"
