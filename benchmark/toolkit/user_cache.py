"""Notes that are kept from one command to the next in the user's cache folder; losing them costs time, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from ..errors import XaiboardError
from .files import parse_object, require_regular, write_file

MOST = 2000
"""How many notes a file holds; the oldest go first."""


class Notes:
    """A few numbers by name, in one small file.

    A file that is missing, damaged, unreadable or of another version holds no notes; where none can be written, they
    are forgotten. Of two commands that write at the same moment, one loses its new notes.

    Args:
        name: of the file, without its suffix.
        version: of what the notes mean: those of another version are dropped.
    """

    def __init__(self, name: str, version: str) -> None:
        self._path, self._version = notes_folder() / f"{name}.json", version
        self._known, self._new = self._read(), {}

    def get(self, name: str) -> Any:  # noqa: ANN401 - whoever wrote it knows what it is, and checks it
        """What was noted under a name; None if nothing was."""
        return self._new.get(name, self._known.get(name))

    def note(self, name: str, value: object) -> None:
        """Notes something that JSON can hold; :meth:`write` keeps it."""
        self._new[name] = value

    def write(self) -> None:
        """Writes what is new beside what is there by now."""
        if not self._new:
            return
        earlier = {name: value for name, value in self._read().items() if name not in self._new}
        notes = dict([*earlier.items(), *self._new.items()][-MOST:])
        text = json.dumps({"version": self._version, "notes": notes})
        with suppress(XaiboardError, OSError):
            write_file(self._path, lambda path: path.write_text(text, "utf-8"))

    def _read(self) -> Mapping[str, Any]:
        try:
            require_regular(self._path)
            content = parse_object(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        notes = content.get("notes") if content.get("version") == self._version else {}
        return notes if isinstance(notes, dict) else {}


def notes_folder() -> Path:
    """The folder of the files."""
    return user_cache_path("xaiboard")
