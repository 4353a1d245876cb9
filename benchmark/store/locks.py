"""Several processes in the folder of one run: who writes its tables, and who is still computing."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import warn
from ..toolkit.files import writing

NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
"""What file systems without locks answer."""

PATIENCE = 60.0
"""Seconds that a command which only reads waits for one that writes."""

READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def lock(folder: Path, *, reading: bool = False) -> Iterator[None]:
    """Holds back other processes that would write tables of a run's folder at the same time.

    A folder without records, such as a published copy, has one writer at most, and needs no lock.

    Args:
        folder: of the run.
        reading: whether nothing will be written: then a folder that may not be written is read without a lock.

    Raises:
        XaiboardError: the folder cannot be written.
    """
    records = folder / "records"
    if not records.is_dir():
        yield
        return
    with writing(folder):
        path = records / ".lock"
        held = _acquire(path, folder, PATIENCE, READ_ONLY) if reading else _acquire(path, folder)
    try:
        with writing(folder):
            yield
    finally:
        if held is not None:
            held.release()


@contextmanager
def computing(folder: Path) -> Iterator[None]:
    """Lets :func:`is_computing` know that this process computes cells, until it ends, however it ends."""
    path = folder / "records" / f".run-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    with writing(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = _acquire(path, folder)
    try:
        yield
    finally:
        if held is not None:
            held.release()
            path.unlink(missing_ok=True)


def is_computing(folder: Path) -> bool:
    """Whether a process computes cells of the run in the folder; forgets those that were killed."""
    for path in (folder / "records").glob(".run-*"):
        try:
            with FileLock(path, blocking=False):
                pass
        except (Timeout, NotImplementedError, OSError):
            return True
        path.unlink(missing_ok=True)
    return False


def _acquire(
    path: Path, folder: Path, patience: float = -1, passed_over: frozenset[int] = frozenset()
) -> FileLock | None:
    """The lock; None where the file system has none, after so many seconds, or after an error that is passed over."""
    held = FileLock(path)
    try:
        held.acquire(timeout=patience)
        return held
    except Timeout:
        return None
    except NotImplementedError:  # so filelock says that there are no locks
        pass
    except OSError as error:
        if error.errno in passed_over:
            return None
        if error.errno not in NO_LOCKS:
            raise
    warn(f"the file system of '{folder}' has no locks: run one command at a time in this folder")
    return None
