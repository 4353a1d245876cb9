"""What a process of the engine ``local`` runs: it calls functions until the process that started it ends."""

from __future__ import annotations

import os
import pickle
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from ..errors import message

RETURNED, RAISED, UNREAD = "returned", "raised", "unread"
"""How a call ended; what stands beside it is a value, a traceback, or why the call could not be read."""


def serve(descriptor: int) -> None:
    """Calls what comes in through a pipe, and sends back what it returns, or the traceback of what it raised.

    Args:
        descriptor: of the pipe.
    """
    pipe = Connection(descriptor)
    waiting: SimpleQueue[bytes] = SimpleQueue()

    def receive() -> None:
        with suppress(EOFError, OSError):
            while True:
                waiting.put(pipe.recv_bytes())
        os._exit(1)  # whoever asked is gone, so nobody needs what is being computed

    Thread(target=receive, daemon=True).start()
    while True:
        pipe.send(_answer(waiting.get()))


def _answer(packed: bytes) -> tuple[str, Any]:
    try:
        function, argument = pickle.loads(packed)  # noqa: S301 - from the process that started this one
    except Exception as error:
        return UNREAD, message(error)
    try:
        return RETURNED, function(argument)
    except Exception:
        return RAISED, traceback.format_exc()
