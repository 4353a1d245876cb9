"""The versions that computed the scores of a folder: a part of ``run.json``, for people; no score depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .noted import note
from .records import Store
from .run_file import read_run

VERSIONS = "run_by"

VERSIONED = frozenset(("xaiboard", "torch"))
"""The libraries whose versions are told."""


def read_versions(folder: Path) -> list[str]:
    """A text for each set of versions that has computed cells here; none where they were not noted.

    Raises:
        XaiboardError: the file is damaged.
    """
    run = read_run(folder)
    found = run.conditions.get(VERSIONS, []) if run else []
    return [str(text) for text in found] if isinstance(found, list) else []


def recorded_versions(store: Store) -> list[str]:
    """A text for each set of versions that the records of a folder name.

    Raises:
        DamagedError: a record or plan is not as it was written.
    """
    said = (store.provenance(key, 0)[0] for key in sorted(store.recorded_cells()))
    return sorted({_text(each) for each in said if each.keys() >= VERSIONED})


def note_versions(store: Store, versions: Mapping[str, str]) -> None:
    """Adds versions, by library, to those that have computed cells in a folder.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    known, own = read_versions(store.folder), _text(versions)
    note(store, VERSIONS, lambda _: known if own in known else [*known, own])


def _text(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in sorted(VERSIONED, reverse=True))
