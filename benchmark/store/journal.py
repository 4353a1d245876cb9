"""What a process that computes for another one says of its work, in a file of the run's folder: it may die any time."""

from __future__ import annotations

import time
from pathlib import Path

EVERY = 0.5
"""Seconds between two lines on passes."""


class Journal:
    """Writes lines: the key and shard of each cell that is begun, and passes.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._forward = self._backward = 0
        self._written = time.monotonic()

    def begin(self, key: str, start: int) -> None:
        """The cell with this key begins, on samples from ``start``."""
        self._write_passes()
        self._file.write(f"cell {key} {start}\n")

    def passed(self, forward: int, backward: int) -> None:
        """So many samples have gone forward and backward."""
        self._forward += forward
        self._backward += backward
        if time.monotonic() - self._written > EVERY:
            self._write_passes()

    def close(self) -> None:
        """Writes what is left."""
        self._write_passes()
        self._file.close()

    def _write_passes(self) -> None:
        if self._forward or self._backward:
            self._file.write(f"passes {self._forward} {self._backward}\n")
        self._forward = self._backward = 0
        self._written = time.monotonic()


class Reader:
    """Reads what has been written to a journal since it was last asked; the file need not be there yet.

    Args:
        path: of the file.

    Attributes:
        begun: key and first sample of the cell that was begun last.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0
        self.begun: tuple[str, int] | None = None

    def passes(self) -> tuple[int, int]:
        """Samples that went forward and backward since this was last asked."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return 0, 0
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        forward = backward = 0
        for line in whole.decode().splitlines():
            kind, first, second = line.split(" ")
            if kind == "cell":
                self.begun = first, int(second)
            else:
                forward, backward = forward + int(first), backward + int(second)
        return forward, backward
