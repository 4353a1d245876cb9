"""Finds the files of a data set in the folder that ``XAIBOARD_DATA`` names, or downloads them into the user's cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from ...errors import XaiboardError
from ...toolkit.files import user_path

TIMEOUT = (5, 30)
"""Seconds to wait for a connection, and for the next bytes of a download."""


def find_files(dataset: str, wanted: Sequence[Sequence[str]]) -> list[Path] | None:
    """Paths of a split's files in ``$XAIBOARD_DATA/<dataset>/``, or None if none of them is there.

    Args:
        dataset: name of the data set and of its folder.
        wanted: for each file the names that it may have.

    Raises:
        XaiboardError: some files are there and others are not. The missing ones are not downloaded: images could be
            paired with labels of other images.
    """
    folder = _folder(dataset)
    if folder is None:
        return None
    paths = [next((folder / name for name in names if (folder / name).is_file()), None) for names in wanted]
    found = [path for path in paths if path is not None]
    if found and len(found) < len(paths):
        missing = " or ".join(f"'{name}'" for name in wanted[paths.index(None)])
        raise XaiboardError(
            f"'{folder}' has '{found[0].name}' but not {missing}, and the files of a split belong together; "
            "add it, or take the others away to have all of them downloaded"
        )
    return found or None


def download(dataset: str, name: str, url: str, md5: str) -> Path:
    """Path of the file ``name`` in the user's cache; it is downloaded from ``url`` if it is not there yet.

    Raises:
        XaiboardError: it cannot be fetched, or its checksum is not ``md5``.
    """
    import pooch

    cache = user_cache_path("xaiboard") / dataset
    fetch = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT)
    try:
        # pooch's annotation of a downloader does not fit its own downloaders
        path = pooch.retrieve(url, f"md5:{md5}", name, cache, downloader=fetch)  # pyright: ignore[reportArgumentType]
        return Path(path)
    except ValueError as error:  # pooch's word for a hash that differs
        raise XaiboardError(
            f"{url} does not have the official MD5 sum {md5}; fetch {name} elsewhere and {_advice(dataset)}"
        ) from error
    except OSError as error:
        folder = _folder(dataset)
        looked = f"'{folder}' (XAIBOARD_DATA)" if folder else "XAIBOARD_DATA (not set)"
        reason = error.strerror or type(error).__name__
        raise XaiboardError(
            f"{dataset} needs {name}, which is neither in {looked} nor in '{cache}', and downloading {url} failed "
            f"({reason}); go online, or fetch that address elsewhere and {_advice(dataset)}"
        ) from error


def _folder(dataset: str) -> Path | None:
    root = os.environ.get("XAIBOARD_DATA")
    return user_path(root) / dataset if root else None


def _advice(dataset: str) -> str:
    return f"put the file into '{dataset}/' of a directory that XAIBOARD_DATA names"
