"""The engine ``local``: processes on this machine, each of which does one piece of work after another."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Ge

from ..errors import XaiboardError, message
from .jobs import Engine, Job, LostError, WorkError
from .local_worker import RAISED, UNREAD


def local(folder: Path, *, workers: Annotated[int, Ge(1)] = 1, threads: Annotated[int, Ge(0)] = 0) -> Engine:
    """Processes on this machine.

    Args:
        folder: of the run.
        workers: how many processes; with one, cells are computed in the process that was started.
        threads: of torch in each process; 0 for the threads of torch here, divided among the processes.

    Raises:
        XaiboardError: this machine has no pipes that other processes can be given.
    """
    if os.name != "posix":
        raise XaiboardError("local[workers=N] needs Linux or macOS; use --engine local, or ray")
    return _Local(workers, threads or max(1, torch.get_num_threads() // workers))


class _Local:
    """Starts a process when there is work and none is idle."""

    def __init__(self, workers: int, threads: int) -> None:
        self.slots = self.room = workers
        self.threads = threads
        self._processes: list[_Process] = []

    def submit(self, function: Callable[[Any], Any], arguments: Sequence[Any]) -> list[Job]:
        """Hands each to an idle process."""
        return [self._idle().call(function, argument) for argument in arguments]

    def close(self) -> None:
        """Kills the processes."""
        for process in self._processes:
            process.end()

    def _idle(self) -> _Process:
        self._processes = [each for each in self._processes if not each.lost]
        for process in self._processes:
            if not process.busy:
                return process
        self._processes.append(_Process())
        return self._processes[-1]


class _Process:
    """A process that calls functions, and the job that it is at."""

    def __init__(self) -> None:
        self.busy = self.lost = False
        self._pipe, theirs = Pipe()
        with theirs:
            serving = f"from {__package__}.local_worker import serve; serve({theirs.fileno()})"
            self._process = subprocess.Popen(  # noqa: S603 - our own code
                [sys.executable, "-c", serving],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # so that Ctrl+C reaches this process alone, which ends them
            )

    def call(self, function: Callable[[Any], Any], argument: Any) -> Job:  # noqa: ANN401
        """Has the function called."""
        try:
            packed = pickle.dumps((function, argument))
        except Exception as error:  # what a user's object raises when it is packed
            raise _not_sent(message(error)) from error
        self.busy = True
        try:
            self._pipe.send_bytes(packed)
        except OSError:
            self.lost = True
        return self

    def done(self) -> bool:
        """Whether the process has answered or ended."""
        return self.lost or self._pipe.poll()

    def result(self) -> Any:  # noqa: ANN401
        """What the function returned."""
        try:
            how, value = self._pipe.recv()
        except (EOFError, OSError):
            self.lost, status = True, self._process.wait()
            ended = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
            raise LostError(ended) from None
        self.busy = False
        if how == UNREAD:
            raise _not_sent(value)
        if how == RAISED:
            raise WorkError(value)
        return value

    def end(self) -> None:
        """Kills the process."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()


def _not_sent(reason: str) -> XaiboardError:
    return XaiboardError(
        f"what was given as an object cannot be sent to another process ({reason}); register it in a plug-in and give"
        " its name, or use engine='local'"
    )
