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

ANY = ""
"""In the shape of an object: whatever the name of an entry."""

_TEXTS = {ANY: str}
_LABEL = {"name": str, "settings": _TEXTS}
_PARTS = {
    "columns": {ANY: {"metric": str, "column": str}}, "settings": {ANY: _TEXTS}, "methods": {ANY: _LABEL},
    "perturbations": {ANY: _LABEL}, "roles": {ANY: {ANY: [str]}},
    "sources": {ANY: {ANY: str}}, "files": {ANY: {}},
}  # fmt: skip
"""What each part holds at least: a type, a list of one kind, or an object with these entries."""


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
    for part, wanted in _PARTS.items():
        if not _fits(content.get(part, {}), wanted):
            raise DamagedError(path, f"'{part}' has an entry of another shape", "restore or delete it")
    for entry in content.get("columns", {}).values():
        bounds = entry.get("range", [None, None])
        if not isinstance(bounds, list) or len(bounds) != 2 or not all(map(_is_bound, bounds)):
            raise DamagedError(path, "a range is no pair of bounds", "restore or delete it")
    return content


def _fits(value: object, shape: Any) -> bool:  # noqa: ANN401 - a type, a list or an object of shapes
    """Whether a value of JSON has the shape."""
    if isinstance(shape, type):
        return isinstance(value, shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(each, shape[0]) for each in value)
    if not isinstance(value, dict):
        return False
    if ANY in shape:
        return all(_fits(each, shape[ANY]) for each in value.values())
    return all(_fits(value.get(name), each) for name, each in shape.items())


def _is_bound(bound: object) -> bool:
    return bound is None or isinstance(bound, (int, float))
