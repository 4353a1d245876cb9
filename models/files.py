"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..benchmark.errors import XaiboardError

_STALE = 60.0
"""Seconds after which a temporary file is taken to be left over from a killed process; writing takes less than one."""


def replace_file(path: Path, content: bytes) -> None:
    """Writes ``path``, over a file that is there; whatever kills the process leaves the old or the new content.

    Raises:
        XaiboardError: the disk is full or not writable.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise XaiboardError(
            f"cannot write '{path}': {error.strerror or error}; free space or give another folder"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Deletes temporary files that killed processes left while writing ``path``."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        if time.time() - left.stat().st_mtime > _STALE:
            left.unlink(missing_ok=True)
