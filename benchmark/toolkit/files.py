"""Files that are written whole or not at all, names in file names, and JSON that is read with care."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import XaiboardError

STALE = 3600.0
"""Seconds after which a temporary file is taken to be left over from a killed process."""


def file_name(dataset: str) -> str:
    """A data set's name without the signs that file names cannot have: ``image-folder:a/b`` is ``image-folder-a-b``."""
    return "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in dataset)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Replaces ``path`` as a whole by what ``write`` puts into a temporary file; makes its folder if need be.

    Whatever kills the process leaves the old or the new content.

    Raises:
        XaiboardError: the disk is full or not writable.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(path, write) as temporary:
            temporary.replace(path)


def write_once(path: Path, write: Callable[[Path], object]) -> bool:
    """Writes ``path`` unless it exists, in a folder that does; False if it does.

    The file is written under a temporary name and then linked to its own, so that of two processes one wins.

    Raises:
        OSError: the disk is full or not writable; :func:`writing` makes it the user's sentence.
    """
    if path.exists():
        return False
    with _temporary(path, write) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
    return True


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        XaiboardError: the file is damaged.
    """
    try:
        return dict(json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise XaiboardError(f"'{path}' is damaged ({error}); delete it and run again") from None


def sweep(folder: Path, name: str = "*", *, older: float = STALE) -> None:
    """Deletes temporary files that killed processes left in ``folder`` while writing the files of that ``name``.

    Args:
        folder: where to look, not below.
        name: pattern of the names of the files themselves.
        older: seconds since a temporary file was last written; younger ones may belong to a process that lives.
    """
    for path in folder.glob(f".{name}.*.tmp"):
        if time.time() - path.stat().st_mtime > older:
            path.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns what the file system refuses into the user's sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise XaiboardError(
            f"cannot write to '{folder}': {reason}; free space or give another folder with --out"
        ) from error


@contextmanager
def _temporary(path: Path, write: Callable[[Path], object]) -> Iterator[Path]:
    """A file beside ``path`` with what ``write`` puts into it, on the disk; deleted at the end if it is still there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
