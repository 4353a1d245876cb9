"""JSON objects that carry a digest of themselves, under ``digest``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..toolkit.files import parse_object, require_regular
from .damage import DamagedError, warn_unverified

DIGEST = "digest"


def sealed_text(content: Mapping[str, Any]) -> str:
    """The text of a JSON object, with its digest."""
    return json.dumps({**content, DIGEST: _digest(content)}, indent=1) + "\n"


def read_sealed(path: Path, folder: Path) -> dict[str, Any]:
    """The JSON object in a file, without its digest; warns where it has none.

    Args:
        path: of the file.
        folder: of the run, for the warning.

    Raises:
        DamagedError: the file cannot be read, or does not fit its digest.
    """
    content, sealed = parse_sealed(path, "delete it and run again")
    if not sealed:
        warn_unverified(folder)
    return content


def parse_sealed(path: Path, advice: str) -> tuple[dict[str, Any], bool]:
    """As :func:`read_sealed`, with whether it has a digest in place of a warning; if damaged, ``advice`` is given."""
    try:
        require_regular(path)
        content = parse_object(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedError(path, error, advice) from None
    if DIGEST not in content:
        return content, False
    if content.pop(DIGEST) != _digest(content):
        raise DamagedError(path, "its content does not fit its digest", advice)
    return content, True


def _digest(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
