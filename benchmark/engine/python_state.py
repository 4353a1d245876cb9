"""What all code shares in a Python process, as far as a component may set it and forget to set it back."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Mapping
from typing import Any

from .torch_flags import Setting

AT_START = list(sys.path), frozenset(os.environ)
"""Folders of modules, and names of the environment, that were there when the program began: plug-ins may add others."""


def _folder() -> str:
    """The working folder; empty if it was removed."""
    try:
        return os.getcwd()  # noqa: PTH109 - its text is what is compared
    except OSError:
        return ""


def _set_folder(folder: str) -> None:
    """Goes back to a folder, which is made anew if it was removed."""
    if folder:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        os.chdir(folder)


def _errors() -> list[Any]:
    """The filters that make errors of warnings: imports of libraries add others, which raise nothing."""
    return [each for each in warnings.filters if each[0] == "error"]


def _set_errors(errors: list[Any]) -> None:
    others = [each for each in warnings.filters if each[0] != "error"]
    warnings.resetwarnings()  # also forgets what was decided by the filters of before
    warnings.filters[:] = [*errors, *others]  # pyright: ignore[reportIndexIssue] - a list, whatever its stub says


def _path() -> list[str]:
    return [folder for folder in AT_START[0] if folder in sys.path]


def _set_path(path: list[str]) -> None:
    sys.path[:] = [*path, *(folder for folder in sys.path if folder not in path)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in AT_START[1]}


PYTHON: Mapping[str, Setting] = {
    "Python's limit of recursion": (sys.getrecursionlimit, sys.setrecursionlimit),
    "which warnings are errors": (_errors, _set_errors),
    "Python's folders of modules": (_path, _set_path),
    "the environment's variables": (_environment, os.environ.update),
    "the working folder": (_folder, _set_folder),
}
"""By name, what a component may set and forget to set back."""


class Threads:
    """The threads that run now: those that were started since go on, and nobody can stop them."""

    def __init__(self) -> None:
        self._before = set(threading.enumerate())

    def left(self) -> list[str]:
        """Names of those that were started since and still run."""
        return sorted(each.name for each in set(threading.enumerate()) - self._before)
