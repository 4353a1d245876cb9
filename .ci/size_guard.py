"""Refuses files that are too large for the repository: ``python .ci/size_guard.py FILE...``."""

from __future__ import annotations

import sys
from pathlib import Path

LIMITS = {".png": 300_000}
"""Bytes of a file by its suffix: figures are for a screen."""

MOST = 2**20
"""Bytes of any other file."""

PUBLISHED = 20_000_000
"""Bytes of a published table, and of the weights of a network."""


def limit(path: Path) -> int:
    """How many bytes the file may have."""
    if path.suffix in LIMITS:
        return LIMITS[path.suffix]
    return PUBLISHED if path.parts[0] == "results" or path.parts[:2] == ("models", "weights") else MOST


def main() -> int:
    """Prints each file that is too large; 1 if there is one."""
    paths = [path for path in map(Path, sys.argv[1:]) if path.is_file() and not path.is_symlink()]
    heavy = [path for path in paths if path.stat().st_size > limit(path)]
    for path in heavy:
        size = path.stat().st_size
        print(
            f"{path} has {size:,} bytes, at most {limit(path):,} fit here; make it smaller, or leave it out"
        )
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
