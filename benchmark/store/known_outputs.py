"""What networks and functions computed when the scores of a folder were made: a part of ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .records import Store
from .run_file import OUTPUTS, read_run, write_run


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
    with store.lock():
        run = read_run(store.folder)
        if run is None:
            return
        known = run.conditions.get(OUTPUTS, {})
        after = {**outputs, **known}
        if after != known:
            write_run(store.folder, replace(run, conditions={**run.conditions, OUTPUTS: after}))
