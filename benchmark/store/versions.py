"""The versions that computed the scores of a folder: a part of ``run.json``, for people; no score depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .noted import note_text, read_texts
from .records import Store

VERSIONS = "run_by"

VERSIONED = ("xaiboard", "torch")
"""The libraries whose versions are told."""


def read_versions(folder: Path) -> list[str]:
    """A text for each set of versions that has computed cells here; none where they were not noted.

    Raises:
        XaiboardError: the file is damaged.
    """
    return read_texts(folder, VERSIONS)


def recorded_versions(store: Store) -> list[str]:
    """A text for each set of versions that the records of a folder name.

    Raises:
        DamagedError: a record or plan is not as it was written.
    """
    said = (store.provenance(key, 0)[0] for key in sorted(store.recorded_cells()))
    return sorted({_text(each) for each in said if each.keys() >= set(VERSIONED)})


def note_versions(store: Store, versions: Mapping[str, str]) -> None:
    """Adds versions, by library, to those that have computed cells in a folder.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    note_text(store, VERSIONS, _text(versions))


def _text(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in VERSIONED)
