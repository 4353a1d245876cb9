"""What a user types to name components and columns that are there: ``deletion[baseline=mean]``, ``deletion.*``."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from ..errors import XaiboardError
from .labels import Label, read_label


def read_pattern(text: str) -> Label:
    """A name, which may have signs of patterns, with the settings that must be as given.

    Raises:
        XaiboardError: a setting without a value, or a bracket without its other.
    """
    try:
        label = read_label(text)
    except ValueError:
        label = None
    if label is None or text.count("[") != text.count("]"):
        raise XaiboardError(f"'{text}' given; settings are written NAME[SETTING=VALUE]")
    return label


def is_wild(text: str) -> bool:
    """Whether the name in it has signs of patterns, so that it may match many names or none."""
    return any(sign in text.partition("[")[0] for sign in "*?")


def matches(pattern: Label, name: str, settings: Mapping[str, str]) -> bool:
    """Whether a pattern means what has that name and these settings, of which it may leave some out."""
    return fnmatchcase(name, pattern.name) and pattern.settings.items() <= settings.items()
