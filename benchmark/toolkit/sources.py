"""A digest of the project's own source files: what was made by other code is made anew."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The folder of ``xaiboard.benchmark``."""

CODE = {".py", ".js", ".css", ".j2", ".toml"}
"""Suffixes of files on which results and pages depend."""


def sources_digest(folders: Iterable[Path] = ()) -> str:
    """SHA-256 over names and content of all files of code in this package and in further folders."""
    return sha256("".join(_digest(folder) for folder in sorted({PACKAGE, *folders})).encode()).hexdigest()


@cache
def _digest(folder: Path) -> str:
    found = sha256()
    for path in sorted(each for each in folder.rglob("*") if each.suffix in CODE and each.is_file()):
        content = path.read_bytes()
        found.update(f"{path.relative_to(folder)} {len(content)} ".encode() + content)
    return found.hexdigest()
