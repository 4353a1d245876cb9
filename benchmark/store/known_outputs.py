"""What networks and functions computed when the scores of a folder were made: a part of ``run.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..toolkit.files import read_json, write_file
from .records import Store

NAME = "outputs"


def read_known_outputs(folder: Path) -> dict[str, Any]:
    """Outputs by what computed them; none in a folder without ``run.json``, or of version 0.2 and earlier.

    Raises:
        XaiboardError: the file is damaged.
    """
    path = folder / "run.json"
    return dict(read_json(path).get(NAME, {})) if path.is_file() else {}


def note_outputs(store: Store, outputs: Mapping[str, Any]) -> None:
    """Adds outputs to those that are known in the folder of a run; known ones stay as they are.

    Raises:
        XaiboardError: the file is damaged or cannot be written.
    """
    path = store.folder / "run.json"
    with store.lock():
        before = read_json(path)
        after = {**before, NAME: {**outputs, **before.get(NAME, {})}}
        if after != before:
            text = json.dumps(after, indent=2) + "\n"
            write_file(path, lambda temporary: temporary.write_text(text))
