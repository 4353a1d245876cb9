"""How wide the lines are that the command line prints."""

from __future__ import annotations

import os
import shutil
import sys

WIDTH = 100
"""Signs in a line where nothing shows it: in a file, a pipe, a notebook."""

NARROWEST = 60
"""Signs below which nothing fits beside a name; a narrower terminal breaks the lines itself."""


def line_width() -> int:
    """Signs in a line: what ``COLUMNS`` says, else as many as the terminal has, else :data:`WIDTH`."""
    shown = sys.stdout.isatty() or "COLUMNS" in os.environ
    return max(NARROWEST, shutil.get_terminal_size((WIDTH, 24)).columns) if shown else WIDTH
