"""Directories and zips behind one interface: names of folders and files, and a function that reads a file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import XaiboardError

LARGEST = 2**28
"""Bytes of the largest file that is read from a zip: guards against a zip bomb, which states the size it unpacks to."""

Parts = tuple[str, ...]
"""A path relative to the directory or zip, split at the slashes."""


@dataclass(frozen=True)
class Tree:
    """The folders and files in a directory or zip.

    Args:
        folders: their paths, sorted.
        files: their paths, sorted.
        read: returns the content of a file; safe to call from several threads.
    """

    folders: list[Parts]
    files: list[Parts]
    read: Callable[[Parts], bytes]


@contextmanager
def open_tree(path: Path, tops: Collection[str]) -> Iterator[Tree]:
    """What lies in the folders ``tops`` of a directory or a zip.

    The folders may be at the top of a zip or inside a single folder there. Hidden files, and those that macOS adds to
    zips, are left out.

    Raises:
        XaiboardError: the path is neither a directory nor a zip.
    """
    if path.is_dir():
        yield _directory(path, tops)
    elif zipfile.is_zipfile(path):
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise XaiboardError(
                f"'{path}' cannot be read ({error}), expected a zip; replace the file"
            ) from error
        with archive:
            yield _archive(archive, tops)
    else:
        came = "is neither" if path.exists() else "does not exist"
        raise XaiboardError(f"'{path}' {came}, expected a directory or a zip of images; correct the path")


def _directory(path: Path, tops: Collection[str]) -> Tree:
    folders, files = [], []
    for top in tops:
        for folder, _, names in os.walk(path / top, followlinks=True):
            parts = Path(folder).relative_to(path).parts
            folders.append(parts)
            files += [(*parts, name) for name in names]
    return Tree(_visible(folders), _visible(files), lambda parts: path.joinpath(*parts).read_bytes())


def _archive(archive: zipfile.ZipFile, tops: Collection[str]) -> Tree:
    members = {PurePosixPath(info.filename).parts: info for info in archive.infolist()}
    names = _visible(members)
    first = {parts[0] for parts in names}
    wrapped = len(first) == 1 and not first & set(tops)
    wrapper = (first.pop(),) if wrapped else ()
    inside = [parts[len(wrapper) :] for parts in names]
    inside = [parts for parts in inside if parts and parts[0] in tops]
    files = [parts for parts in inside if not members[wrapper + parts].is_dir()]
    folders = {parts for parts in inside if members[wrapper + parts].is_dir()}
    # A zip need not have entries for its folders: they follow from the paths of its files too.
    folders |= {parts[:depth] for parts in files for depth in range(1, len(parts))}

    def read(parts: Parts) -> bytes:
        info = members[wrapper + parts]
        if info.file_size > LARGEST:
            raise ValueError(f"{info.file_size} bytes, more than {LARGEST}")
        return archive.read(info)

    return Tree(sorted(folders), files, read)


def _visible(names: Collection[Parts]) -> list[Parts]:
    return sorted(parts for parts in names if not any(part.startswith((".", "__MACOSX")) for part in parts))
