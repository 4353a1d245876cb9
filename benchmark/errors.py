"""The user's mistakes: one sentence, shown without a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class XaiboardError(Exception):
    """What was given, what was expected, what to do. Anything else that is raised is our bug."""


class UnknownNameError(XaiboardError, KeyError):
    """A name that nothing is registered under; a KeyError too, since registries are mappings."""

    __str__ = Exception.__str__


class SettingError(XaiboardError):
    """A setting that makes no sense whatever the input: refused before anything is computed."""


def unknown(kind: str, name: str, known: Iterable[str]) -> XaiboardError:
    """The error for a name that nothing is registered under, with the nearest name that exists."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names) or 'none'}"
    return UnknownNameError(f"no {kind} named '{name}'; {hint}")
