"""Directories and zips behind one interface: names of folders and files, and a function that opens a file."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ...errors import XaiboardError
from ...toolkit.files import require_regular
from .limits import OF_IMAGE

Parts = tuple[str, ...]
"""A path relative to the directory or zip, split at the slashes."""


@dataclass(frozen=True)
class Tree:
    """The folders and files in a directory or zip.

    Args:
        folders: their paths, sorted.
        files: their paths, sorted.
        beside: names of the files beside the folders at the top, sorted.
        ignored: paths of hidden files and folders, and of links to folders; sorted.
        open: opens a file for reading; safe to call from several threads. It raises ValueError or OSError for what is
            no regular file, or is too large.
    """

    folders: list[Parts]
    files: list[Parts]
    beside: list[str]
    ignored: list[Parts]
    open: Callable[[Parts], IO[bytes]]


def open_tree(path: Path, tops: Collection[str], inside: str) -> Tree:
    """What lies in the folders ``tops`` of a directory or a zip.

    The folders may be at the top of a zip or inside a single folder there. Hidden files, those that macOS adds to zips,
    and links to folders are left out. A zip is closed when nothing refers to the tree any more.

    Args:
        path: of the directory or zip.
        tops: folders of which at least the folders in them are listed.
        inside: the one among them of which everything is listed.

    Raises:
        XaiboardError: the path is neither a directory nor a zip, it cannot be read, or a link or name leads out of it.
    """
    try:
        if path.is_dir():
            return _directory(path, tops, inside)
        is_zip = path.is_file() and zipfile.is_zipfile(path)
    except OSError as error:
        raise XaiboardError(
            f"'{error.filename or path}' cannot be read ({error.strerror}); correct the path, or make it readable"
        ) from error
    if not is_zip:
        came = "is neither" if path.exists() else "does not exist"
        raise XaiboardError(f"'{path}' {came}, expected a directory or a zip of images; correct the path")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise XaiboardError(f"'{path}' cannot be read ({error}), expected a zip; replace the file") from error
    return _archive(archive, tops, path)


def _directory(root: Path, tops: Collection[str], inside: str) -> Tree:
    folders, files, ignored = [], [], []
    waiting: list[Parts] = [(top,) for top in tops if _is_folder(root, (top,))]
    while waiting:
        folder = waiting.pop()
        folders.append(folder)
        for entry in _entries(root.joinpath(*folder)):
            parts = (*folder, entry.name)
            if _is_hidden(parts):
                ignored.append(parts)
            elif not _leads_to_folder(entry):
                files.append(parts)
            elif not _is_folder(root, parts):
                ignored.append(parts)
            elif parts[0] == inside:
                waiting.append(parts)
            else:
                folders.append(parts)

    def open_file(parts: Parts) -> IO[bytes]:
        _require_inside(root, parts)
        path = root.joinpath(*parts)
        require_regular(path)
        return path.open("rb")

    with os.scandir(root) as found:
        beside = [entry.name for entry in found if not _leads_to_folder(entry)]
    return Tree(sorted(folders), sorted(files), sorted(beside), sorted(ignored), open_file)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        if not entry.name.isprintable():
            raise XaiboardError(
                f"'{folder}' holds a file named {entry.name!r}, whose name cannot be shown; rename it"
            )
    return entries


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one; a link that leads in a circle is none."""
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and Path(entry.path).is_dir())


def _is_folder(root: Path, parts: Parts) -> bool:
    """Whether it is a folder and no link to one. Links are not followed: they could lead in circles."""
    path = root.joinpath(*parts)
    _require_inside(root, parts)
    return path.is_dir() and not path.is_symlink()


def _require_inside(root: Path, parts: Parts) -> None:
    """Refuses a link that leads out of the directory.

    Raises:
        XaiboardError: it does.
    """
    path = root.joinpath(*parts)
    target = os.path.realpath(path)  # of a link that leads to itself, the link
    if path.is_symlink() and not Path(target).is_relative_to(os.path.realpath(root)):
        raise XaiboardError(
            f"'{'/'.join(parts)}' in '{root}' is a link that leads out of the folder, to '{target}'; put what it leads"
            " to in its place"
        )


def _archive(archive: zipfile.ZipFile, tops: Collection[str], path: Path) -> Tree:
    members = {_parts(info.filename, path): info for info in archive.infolist()}
    if len(members) < len(archive.infolist()):
        raise XaiboardError(f"'{path}' holds two files of one name, expected one; pack it anew")
    names = sorted(parts for parts in members if not _is_hidden(parts))
    first = {parts[0] for parts in names if parts}
    wrapped = len(first) == 1 and not first & set(tops)
    wrapper = (first.pop(),) if wrapped else ()

    def unwrapped(found: Collection[Parts]) -> list[Parts]:
        return [parts[len(wrapper) :] for parts in found if parts[: len(wrapper)] == wrapper]

    def below(found: Collection[Parts]) -> list[Parts]:
        return [parts for parts in unwrapped(found) if parts and parts[0] in tops]

    inside = below(names)
    files = [parts for parts in inside if not members[wrapper + parts].is_dir()]
    folders = {parts for parts in inside if members[wrapper + parts].is_dir()}
    # A zip need not have entries for its folders: they follow from the paths of its files too.
    folders |= {parts[:depth] for parts in files for depth in range(1, len(parts))}

    def open_member(parts: Parts) -> IO[bytes]:
        info = members[wrapper + parts]
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ValueError("it is a link in a zip")
        OF_IMAGE.check(info.file_size)
        return archive.open(info)

    beside = [parts[0] for parts in unwrapped(names) if len(parts) == 1 and parts[0] not in tops]
    return Tree(sorted(folders), files, beside, sorted(below(set(members) - set(names))), open_member)


def _parts(name: str, path: Path) -> Parts:
    """The path of a member of a zip, which some programs write with backslashes.

    Raises:
        XaiboardError: it leads out of the zip, or cannot be shown.
    """
    member = PurePosixPath(name.replace("\\", "/"))
    if ".." in member.parts or member.is_absolute() or not name.isprintable():
        raise XaiboardError(
            f"'{path}' holds a file named {name!r}, expected names that lead to a place inside of it; pack it anew"
        )
    return member.parts


def _is_hidden(parts: Parts) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in parts)
