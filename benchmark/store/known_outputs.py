"""What networks and functions computed when the scores of a folder were made: a part of ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .records import Store
from .run_file import read_run, write_run

NAME = "outputs"


def read_known_outputs(folder: Path) -> dict[str, Any]:
    """Outputs by what computed them; none in a folder without ``run.json``, or of version 0.2 and earlier.

    Raises:
        XaiboardError: the file is damaged.
    """
    run = read_run(folder)
    return dict(run.conditions.get(NAME, {})) if run else {}


def note_outputs(store: Store, outputs: Mapping[str, Any]) -> None:
    """Adds outputs to those that are known in the folder of a run; known ones stay as they are.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    with store.lock():
        run = read_run(store.folder)
        if run is None:
            return
        known = run.conditions.get(NAME, {})
        after = {**outputs, **known}
        if after != known:
            write_run(store.folder, replace(run, conditions={**run.conditions, NAME: after}))
