"""The versions that computed the scores of a folder: a part of ``run.json``, for people; no score depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .noted import note
from .records import Store
from .run_file import read_run

VERSIONS = "run_by"


def read_versions(folder: Path) -> list[str]:
    """A text for each set of versions that has computed cells here; none where they were not noted.

    Raises:
        XaiboardError: the file is damaged.
    """
    run = read_run(folder)
    found = run.conditions.get(VERSIONS, []) if run else []
    return [str(text) for text in found] if isinstance(found, list) else []


def note_versions(store: Store, versions: Mapping[str, str]) -> None:
    """Adds versions, by library, to those that have computed cells in a folder.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    known, own = read_versions(store.folder), ", ".join(f"{name} {one}" for name, one in versions.items())
    note(store, VERSIONS, lambda _: known if own in known else [*known, own])
