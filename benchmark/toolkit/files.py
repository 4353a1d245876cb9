"""Files that are written as a whole or not at all; names of files; reading JSON."""

from __future__ import annotations

import errno
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import XaiboardError

STALE = 3600.0
"""Age in seconds at which a temporary file counts as left over from a killed process."""


LONGEST = 180
"""Bytes of a name in a file's name; file systems allow 255, of which other words and temporary files need some."""

NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV}
"""What file systems without hard links answer: network drives, exFAT, some folders that containers share."""


def file_name(dataset: str) -> str:
    """A data set's name without the signs that file names cannot have: ``image-folder:a/b`` is ``image-folder-a-b``."""
    return short_name("".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in dataset))


def short_name(name: str) -> str:
    """The name, or its start and a digest of it where it is longer than a file's name may be."""
    text = name.encode()
    if len(text) <= LONGEST:
        return name
    return f"{text[: LONGEST - 17].decode(errors='ignore')}-{sha256(text).hexdigest()[:16]}"


def require_path(path: Path) -> None:
    """Refuses what no folder of a run can be called, or may be; whether there is one does not matter.

    Raises:
        XaiboardError: a part of the name is too long, links go in a circle, the name has a sign that none can have, or
            nobody may look into the folder.
    """
    try:
        (path / "run.json").stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        shown = str(path) if len(str(path)) < 80 else f"{str(path)[:79]}…"
        raise XaiboardError(f"'{shown}' can be no folder of a run: {reason}; name another") from None


def require_regular(path: Path) -> None:
    """Refuses what only looks like a file: opening a named pipe would wait for ever.

    Raises:
        ValueError: there is something else than a regular file.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")


def user_path(typed: str | Path) -> Path:
    """The path that a user means, with ``~`` for a home folder.

    Raises:
        XaiboardError: there is no such home folder.
    """
    try:
        return Path(typed).expanduser()
    except RuntimeError:
        raise XaiboardError(
            f"'{typed}' starts with a home folder that there is not; correct the path"
        ) from None


def user_folder(typed: str | Path) -> Path:
    """The folder that a user names; it need not exist.

    Raises:
        XaiboardError: no folder can have that name, or nobody may look for it.
    """
    text = str(typed)
    if not text.strip() or not text.isprintable():
        raise XaiboardError(f"a folder must have a name that can be shown; got {text!r}")
    path = user_path(text)
    require_path(path)
    return path


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Lets ``write`` fill a temporary file, then puts it in the place of ``path``; makes the folder if there is none.

    If the process is killed, the file has either its old or its new content.

    Raises:
        XaiboardError: the disk is full or not writable.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path, write) as temporary:
            temporary.replace(path)


def require_ours(path: Path, start: str, writer: str) -> None:
    """Refuses to replace a file that another program wrote.

    Args:
        path: that would be written; it may be missing.
        start: how our files of that name begin.
        writer: who writes them, as ``a comparison``.

    Raises:
        XaiboardError: it begins otherwise, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            ours = file.read(len(start.encode())) == start.encode()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        ours = False
    if not ours:
        raise XaiboardError(
            f"'{path}' was not written by {writer} and would be replaced; give another folder with --out"
        )


def write_once(path: Path, write: Callable[[Path], object]) -> bool:
    """Writes ``path``, in an existing folder, unless the file exists; returns whether it was written.

    The file is written under a temporary name and then linked to its own, so that one of two processes wins. Where
    there are no hard links it is renamed instead: of two processes that finish at the same moment the later one wins.

    Raises:
        OSError: the disk is full or not writable; :func:`writing` turns it into a sentence for the user.
    """
    if path.exists():
        return False
    with temporary_file(path, write) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            if path.exists():
                return False
            temporary.replace(path)
    return True


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        XaiboardError: the file is damaged, or something else than an object.
    """
    try:
        return parse_object(path.read_bytes())
    except (OSError, ValueError) as error:
        raise XaiboardError(f"'{path}' is damaged ({error}); delete it and run again") from None


def parse_object(text: bytes) -> dict[str, Any]:
    """The JSON object that a text is.

    Raises:
        ValueError: it is no JSON, or something else than an object.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("its brackets are nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError(f"it holds {type(content).__name__}, not an object")
    return content


def sweep(folder: Path, name: str = "*", *, older: float = STALE) -> None:
    """Deletes the temporary files that killed processes left behind in ``folder``.

    Args:
        folder: where to look; folders inside it are left alone.
        name: pattern of the names of the files that the processes were writing.
        older: smallest age of a temporary file in seconds; younger ones may belong to a running process.
    """
    for path in folder.glob(f".{name}.*.tmp"):
        if time.time() - path.stat().st_mtime > older:
            path.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns an error of the file system into a sentence for the user."""
    try:
        yield
    except IsADirectoryError as error:
        path = error.filename2 or error.filename
        raise XaiboardError(f"'{path}' is a folder, expected a file; move it away") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise XaiboardError(
            f"cannot write to '{folder}': {reason}; free space or give another folder with --out"
        ) from error


@contextmanager
def temporary_file(path: Path, write: Callable[[Path], object]) -> Iterator[Path]:
    """A temporary file beside ``path``, filled by ``write`` and flushed to the disk; deleted at the end if left."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as file, _where_known():
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _where_known() -> Iterator[None]:
    """Passes over file systems that do not know a request; a full disk stays an error."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise
