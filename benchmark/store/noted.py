"""Notes something in ``run.json`` beside the conditions of a run, on which no score depends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .records import Store
from .run_file import read_run, write_run


def note(store: Store, name: str, change: Callable[[Any], object]) -> None:
    """Replaces an entry; does nothing in a folder without ``run.json``.

    Args:
        store: of the run.
        name: of the entry.
        change: makes the new value of the old one, which is None where there is none.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    with store.lock():
        run = read_run(store.folder)
        if run is None:
            return
        known = run.conditions.get(name)
        after = change(known)
        if after and after != known:
            write_run(store.folder, replace(run, conditions={**run.conditions, name: after}))


def read_texts(folder: Path, name: str) -> list[str]:
    """The texts of an entry; none in a folder without ``run.json``, or where they were not noted.

    Raises:
        XaiboardError: the file is damaged.
    """
    run = read_run(folder)
    return _texts(run.conditions.get(name)) if run else []


def note_text(store: Store, name: str, text: str) -> None:
    """Adds a text to an entry, once; raises as :func:`note`."""
    note(store, name, lambda known: list(dict.fromkeys([*_texts(known), text])))


def _texts(found: object) -> list[str]:
    return [str(text) for text in found] if isinstance(found, list) else []
