"""What networks and functions computed when the scores of a folder were made: a part of ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .noted import note
from .records import Store
from .run_file import OUTPUTS, read_run


def read_known_outputs(folder: Path) -> dict[str, Any]:
    """Outputs by what computed them; none in a folder without ``run.json``, or of version 0.2 and earlier.

    Raises:
        XaiboardError: the file is damaged.
    """
    run = read_run(folder)
    return dict(run.conditions.get(OUTPUTS, {})) if run else {}


def note_outputs(store: Store, outputs: Mapping[str, Any]) -> None:
    """Adds outputs to those that are known in the folder of a run; known ones stay as they are.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    note(store, OUTPUTS, lambda known: {**outputs, **(known or {})})
