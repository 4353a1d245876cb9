"""The suites that were run in a folder: a part of ``run.json``, for people; no score depends on it."""

from __future__ import annotations

from pathlib import Path

from .noted import note_text, read_texts
from .records import Store

SUITES = "suites"


def read_suites(folder: Path) -> list[str]:
    """Names of the suites; none in a folder without ``run.json``, or of version 0.2 and earlier.

    Raises:
        XaiboardError: the file is damaged.
    """
    return read_texts(folder, SUITES)


def note_suite(store: Store, suite: str) -> None:
    """Adds a suite to those that were run in a folder.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    note_text(store, SUITES, suite)
