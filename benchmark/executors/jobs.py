"""What every engine offers: work is handed to it, and asked for when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class LostError(Exception):
    """The process that did the work ended before it was done; the message says how, as far as it is known."""


class WorkError(Exception):
    """The work raised what it should not: a bug of ours, whose traceback is the message."""


class Job(Protocol):
    """Work that was handed to an engine."""

    def done(self) -> bool:
        """Whether :meth:`result` returns or raises at once."""
        ...

    def result(self) -> Any:  # noqa: ANN401 - what the function returns
        """What the function returned.

        Raises:
            LostError: the process that called it has ended.
            WorkError: it raised.
        """
        ...


class Engine(Protocol):
    """Processes that do work.

    Attributes:
        slots: how many pieces of work are done at the same time, as far as it is known.
        room: how many may be handed over before one of them is done.
        threads: how many threads torch may use for each of them.
    """

    slots: int
    room: int
    threads: int

    def submit(self, function: Callable[[Any], Any], arguments: Sequence[Any]) -> list[Job]:
        """Calls ``function`` with each of some arguments, in other processes; no more than :attr:`room` at a time."""
        ...

    def close(self) -> None:
        """Ends what is not done, and the processes."""
        ...
