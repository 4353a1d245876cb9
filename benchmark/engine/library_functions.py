"""The libraries that scores are computed with: what a component has replaced in them, and how it is put back."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import is_
from types import FunctionType, ModuleType
from typing import Any

import captum.attr  # noqa: F401 - watched below, also where the first to use it is the one that patches it
import torch
from torch import Tensor, nn

from .function_code import Code, functions_in
from .remembered import Contents

LIBRARIES = ("captum", "xaiboard")
"""Libraries of which every loaded module is watched, with its classes."""

MODULES = (
    "builtins", "copy", "functools", "itertools", "json", "math", "operator", "os", "random", "warnings", "numpy",
    "numpy.fft", "numpy.linalg", "numpy.random", "pandas", "scipy.special", "scipy.stats", "torch", "torch.autograd",
    "torch.autograd.functional", "torch.fft", "torch.func", "torch.linalg", "torch.nn", "torch.nn.functional",
    "torch.nn.init", "torch.special",
)  # fmt: skip
"""The other modules that are watched, with their layers and tables: torch replaces functions of some others itself."""

OWN_DOING = ((torch, "manual_seed"), (nn.Module, "__init__"), (nn.Module, "__setstate__"))
"""What torch replaces itself, when it first compiles."""


class Functions:
    """The functions and classes of the libraries, and those of the classes of some networks' layers.

    Of this package, all that its modules hold. A function may be replaced, or rewritten where it is.

    Args:
        networks: by name.
    """

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        layers = {type(layer) for network in networks.values() for layer in network.modules()}
        classes = {each for layer in layers for each in layer.__mro__ if each is not object}
        libraries = _owners_in(len(sys.modules))
        others = sorted(classes.difference(libraries), key=repr)
        self._saved = [(owner, dict(vars(owner))) for owner in (*libraries, *others)]
        self._code = Code([*_functions_in(len(sys.modules)), *functions_in(others)])
        self._constants = [
            Contents(f"{owner.__name__}.{name}", None, value)
            for owner, saved in self._saved
            if _is_own(owner)
            for name, value in saved.items()
            if type(value) in (dict, list, set) and name[:2] != "__"
        ]

    def changes(self) -> list[str]:
        """What has changed: ``replaced 'torch.nn.functional.relu'``."""
        replaced = [f"replaced '{owner.__name__}.{name}'" for owner, name, _ in self._replaced()]
        rewritten = sorted(
            f"rewrote '{each.__module__}.{each.__qualname__}'" for each in self._code.rewritten()
        )
        constants = [f"{change} '{where}'" for part in self._constants for change, where in part.changes()]
        return [*replaced, *rewritten, *constants]

    def put_back(self) -> None:
        """Makes everything as it was."""
        for owner, name, was in list(self._replaced()):
            delattr(owner, name) if was is None else setattr(owner, name, was)
        self._code.put_back()
        for part in self._constants:
            part.put_back()

    def _replaced(self) -> Iterator[tuple[Any, str, object]]:
        """What is not what it was at the start, with what was there; None if a class had no such function."""
        for owner, saved in self._saved:
            held = vars(owner)
            is_class = isinstance(owner, type)
            if all(map(is_, map(held.get, saved), saved.values())) and not (
                is_class and len(held) > len(saved)
            ):
                continue  # the usual case, in C
            own = _is_own(owner)
            for name, was in saved.items():
                watched = own or _is_function(was)
                if watched and held.get(name) is not was and (owner, name) not in OWN_DOING:
                    yield owner, name, was
            if is_class:
                added = [name for name in held.keys() - saved.keys() if _is_function(held[name])]
                yield from ((owner, name, None) for name in sorted(added))


@lru_cache(maxsize=1)
def _owners_in(_loaded: int) -> Sequence[Any]:
    """The modules and classes of the libraries that are loaded: as long as their number is the same, the same ones."""
    modules = [
        module
        for name, module in sorted(sys.modules.items())
        if isinstance(module, ModuleType) and (name in MODULES or _is_of_libraries(name))
    ]
    values = (value for module in modules for value in list(vars(module).values()))
    classes = (
        value
        for value in values
        if isinstance(value, type) and (_is_of_libraries(value.__module__) or _is_watched(value))
    )
    return [*modules, *dict.fromkeys(classes)]


@lru_cache(maxsize=1)
def _functions_in(loaded: int) -> Sequence[FunctionType]:
    """The Python functions of these modules and classes."""
    return functions_in(_owners_in(loaded))


def _is_of_libraries(module: object) -> bool:
    return str(module).partition(".")[0] in LIBRARIES


def _is_own(owner: object) -> bool:
    """Whether it is a module of this package."""
    return isinstance(owner, ModuleType) and owner.__name__.partition(".")[0] == "xaiboard"


def _is_watched(kind: type) -> bool:
    layer = issubclass(kind, nn.Module) and kind.__module__.startswith("torch.nn.")
    return kind is Tensor or layer or kind.__module__.partition(".")[0] in ("pandas", "random")


def _is_function(value: object) -> bool:
    return callable(value) or isinstance(value, (staticmethod, classmethod, property))
