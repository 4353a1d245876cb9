"""The suites that were run in a folder: a part of ``run.json``, for people; no score depends on it."""

from __future__ import annotations

from pathlib import Path

from .noted import note
from .records import Store
from .run_file import read_run

SUITES = "suites"


def read_suites(folder: Path) -> list[str]:
    """Names of the suites; none in a folder without ``run.json``, or of version 0.2 and earlier.

    Raises:
        XaiboardError: the file is damaged.
    """
    run = read_run(folder)
    found = run.conditions.get(SUITES, []) if run else []
    return [str(name) for name in found] if isinstance(found, list) else []


def note_suite(store: Store, suite: str) -> None:
    """Adds a suite to those that were run in a folder.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    known = read_suites(store.folder)
    note(store, SUITES, lambda _: known if suite in known else [*known, suite])
