"""What is said of files that are not as they were written, or that were written before files had digests."""

from __future__ import annotations

import textwrap
from pathlib import Path

from ..errors import XaiboardError, warn

LONGEST = 200
"""Signs of what a decoder says of damaged bytes."""


class DamagedError(XaiboardError):
    """A file that is not as it was written.

    Args:
        path: of the file.
        found: what is wrong with it.
        advice: what to do.
        kind: what the file is, before its name.
    """

    def __init__(self, path: Path, found: object, advice: str, kind: str = "") -> None:
        said = textwrap.shorten(str(found), LONGEST, placeholder=" …")
        self.what = f"{kind}'{path}' is damaged ({said})"
        super().__init__(f"{self.what}; {advice}")


def warn_unverified(folder: Path) -> None:
    """Says that files in the folder of a run have no digest or seal; the same text is shown once a command."""
    warn(
        f"'{folder}' has files without a digest or seal, as earlier versions wrote them: they are read unverified;"
        f" 'xaiboard verify {folder}' names them"
    )
