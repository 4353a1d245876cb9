"""Loads components: the built-in packages, the entry points of installed distributions, and plug-in files."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path

from ..errors import XaiboardError
from ..toolkit.files import user_path
from . import registry
from .builtin import GROUP, load_builtins


@cache
def load_entry_points() -> None:
    """Imports the built-in components, then the modules that installed distributions name in the group ``xaiboard``."""
    load_builtins()
    for entry in entry_points(group=GROUP):
        entry.load()


def load_plugins(files: str | Path | Sequence[str | Path]) -> set[tuple[str, str]]:
    """Imports entry points and plug-in files.

    The folder of a plug-in becomes importable, as that of a script does. An exception that a plug-in raises when it is
    imported is passed on with its traceback, since it is the plug-in's author who can mend it.

    Args:
        files: path of a Python file, or paths of several.

    Returns:
        Kind and name of each component that the files registered.

    Raises:
        XaiboardError: no such file, a syntax error in it, or a file that ends the program.
    """
    load_entry_points()
    files = [files] if isinstance(files, (str, Path)) else files
    return {entry for file in files for entry in _load_file(user_path(file).resolve())}


def _load_file(path: Path) -> set[tuple[str, str]]:
    """Imports a plug-in file once for a process; kind and name of each component that it registered."""
    if not os.path.isfile(path) or path.suffix != ".py":  # noqa: PTH113 - no exception for names too long
        raise XaiboardError(f"plug-in '{path}' is not a Python file; give the path of a .py file")
    name = f"xaiboard_plugin_{path.stem}_{sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name].__dict__["registered_components"]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise XaiboardError(f"plug-in '{path}' cannot be imported; give the path of a .py file")
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    before = _registered()
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, SyntaxError) and error.filename in (str(path), None):  # of no text at all, None
            where = f" in line {error.lineno}: {error.msg}" if error.lineno else f": {error.msg}"
            raise XaiboardError(
                f"plug-in '{path}' has a syntax error{where}; mend it and run again"
            ) from None
        if isinstance(error, SystemExit):
            raise XaiboardError(
                f"plug-in '{path}' ends the program when it is imported; remove that"
            ) from None
        raise
    module.__dict__["registered_components"] = _registered() - before
    return module.__dict__["registered_components"]


def _registered() -> set[tuple[str, str]]:
    kinds = (registry.datasets, registry.models, registry.methods, registry.metrics, registry.perturbations)
    return {(known.kind, name) for known in kinds for name in known}
