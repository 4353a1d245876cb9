"""Reads ``columns.json``, which says what the names in a run's tables stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import warn
from ..toolkit.files import parse_object
from .damage import DamagedError
from .records import Store
from .seal import check_sealed

FILE = "columns.json"

KINDS = ("methods", "metrics", "perturbations")
"""The kinds of components that may have roles."""

ALL_KINDS = ("datasets", "models", *KINDS)
"""The kinds of components, all of which may have sources."""

_LABEL = {"name": str, "settings": dict}
_ENTRIES = {
    "columns": {"metric": str, "column": str}, "settings": {}, "methods": _LABEL, "perturbations": _LABEL, "roles": {},
    "sources": {}, "files": {},
}  # fmt: skip
"""What each entry of each part holds at least."""


def read_columns(folder: Path) -> dict[str, dict[str, Any]]:
    """The parts of ``columns.json``; none where there is no such file, or a damaged one that the plans replace.

    Raises:
        DamagedError: it is not as it was written, and there are no plans.
    """
    path, planned = folder / FILE, Store(folder).plan_files()
    if not path.is_file() and planned:
        return {}
    try:
        check_sealed(folder, FILE)
        if not path.is_file():
            return {}
        return _checked(path, parse_object(path.read_bytes()))
    except (OSError, ValueError) as error:
        damage = DamagedError(
            path, error, f"restore or delete it, and make it anew: xaiboard leaderboard {folder}"
        )
    except DamagedError as error:
        damage = error
    if not planned:
        raise damage
    warn(f"{damage.what}: it is made anew from what was planned")
    return {}


def _checked(path: Path, content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The content, if it has the shape that :func:`~.glossary.write_glossary` gives it.

    Raises:
        DamagedError: it has another.
    """
    for part, wanted in _ENTRIES.items():
        of = content.get(part, {})
        entries = of.values() if isinstance(of, dict) else [None]
        for entry in entries:
            if not isinstance(entry, dict) or any(
                not isinstance(entry.get(name), kind) for name, kind in wanted.items()
            ):
                raise DamagedError(path, f"'{part}' has an entry of another shape", "restore or delete it")
    for entry in content.get("columns", {}).values():
        bounds = entry.get("range", [None, None])
        if not isinstance(bounds, list) or len(bounds) != 2 or not all(map(_is_bound, bounds)):
            raise DamagedError(path, "a range is no pair of bounds", "restore or delete it")
    return content


def _is_bound(bound: object) -> bool:
    return bound is None or isinstance(bound, (int, float))
