"""The user's mistakes: the command line shows their message, one sentence, without a traceback."""

import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches


class XaiboardError(Exception):
    """A mistake of the user. The message says what was given, what was expected and what to do.

    Any other exception that leaves the package is a bug of ours, and keeps its traceback.
    """


class XaiboardWarning(UserWarning):
    """What the user should know and what stops nothing; the command line shows it as a sentence."""


class UnknownNameError(XaiboardError, KeyError):
    """A name under which nothing is registered; also a KeyError, because registries are mappings."""

    __str__ = Exception.__str__


class SettingError(XaiboardError):
    """A setting that makes no sense whatever the input. It is refused before anything is computed."""


_NOTES: ContextVar[list[str] | None] = ContextVar("notes", default=None)


def warn(text: str) -> None:
    """Says something that the user should know and that stops nothing; within :func:`noted`, notes it instead."""
    notes = _NOTES.get()
    if notes is None:
        warnings.warn(text, XaiboardWarning, stacklevel=2)
    else:
        notes.append(text)


@contextmanager
def noted() -> Iterator[list[str]]:
    """What :func:`warn` says inside the ``with`` block, which is not shown."""
    notes: list[str] = []
    before = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(before)


def unknown(kind: str, name: str, known: Iterable[str]) -> XaiboardError:
    """The error for a name under which nothing is registered; it suggests the nearest name that exists.

    Args:
        kind: what was looked for, such as ``method``.
        name: what was given.
        known: the names that exist.
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(names) or 'none'}"
    return UnknownNameError(f"no {kind} named '{name}'; {hint}")


def message(error: BaseException) -> str:
    """What an error says, in one line: the user's sentence, or the type and text of any other error."""
    text = " ".join(str(error).split())
    if isinstance(error, XaiboardError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def own_mistakes(what: str, function: Callable[..., object]) -> Iterator[None]:
    """Turns what a function of the user's raises into a sentence with its place; our own keep their tracebacks.

    Args:
        what: what fails, such as ``data set 'birds' cannot be read``.
        function: the function.

    Raises:
        XaiboardError: the function is not of this package, and raised.
    """
    try:
        yield
    except XaiboardError:
        raise
    except Exception as error:
        if function.__module__.startswith("xaiboard."):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise XaiboardError(
            f"{what}: {message(error)}, in line {place.lineno} of '{place.filename}'"
        ) from error
