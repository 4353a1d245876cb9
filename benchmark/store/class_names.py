"""The names of the classes of each data set of a run: a part of ``run.json``, for people; no score depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .noted import note
from .records import Store
from .run_file import read_run

CLASSES = "classes"


def read_class_names(folder: Path) -> dict[str, list[str]]:
    """Names of the classes by data set, in the order of their numbers; none where they were not noted.

    Raises:
        XaiboardError: the file is damaged.
    """
    run = read_run(folder)
    found = run.conditions.get(CLASSES, {}) if run else {}
    named = found.items() if isinstance(found, dict) else ()
    return {str(dataset): list(map(str, names)) for dataset, names in named if isinstance(names, list)}


def note_class_names(store: Store, dataset: str, names: Sequence[str]) -> None:
    """Notes what the classes of a data set are called.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    note(store, CLASSES, lambda known: {**(known or {}), dataset: list(names)})
