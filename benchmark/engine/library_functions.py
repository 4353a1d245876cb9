"""The functions of the libraries that scores are computed with: which a component has replaced, and how to put back."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import is_
from types import ModuleType
from typing import Any

import captum.attr  # noqa: F401 - watched below, also where the first to use it is the one that patches it
import torch
from torch import Tensor, nn

LIBRARIES = ("captum", "xaiboard")
"""Libraries of which every loaded module is watched, with its classes."""

MODULES = (
    "numpy", "numpy.linalg", "torch", "torch.autograd", "torch.autograd.functional", "torch.fft", "torch.func",
    "torch.linalg", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.special",
)  # fmt: skip
"""The other modules that are watched, with their layers: torch replaces functions of some others itself."""

OWN_DOING = ((torch, "manual_seed"), (nn.Module, "__init__"), (nn.Module, "__setstate__"))
"""What torch replaces itself, when it first compiles."""


class Functions:
    """The functions and classes of the libraries, and those of the classes of some networks' layers.

    Args:
        networks: by name.
    """

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        layers = {type(layer) for network in networks.values() for layer in network.modules()}
        classes = {each for layer in layers for each in layer.__mro__ if each is not object}
        libraries = _owners_in(len(sys.modules))
        owners: list[Any] = [*libraries, *sorted(classes.difference(libraries), key=repr)]
        self._saved = [(owner, dict(vars(owner))) for owner in owners]

    def changes(self) -> list[str]:
        """What has changed: ``replaced 'torch.nn.functional.relu'``."""
        return [f"replaced '{owner.__name__}.{name}'" for owner, name, _ in self._replaced()]

    def put_back(self) -> None:
        """Makes everything as it was."""
        for owner, name, was in list(self._replaced()):
            delattr(owner, name) if was is None else setattr(owner, name, was)

    def _replaced(self) -> Iterator[tuple[Any, str, object]]:
        """Functions that are not those of the start, with what was there; None if a class had none."""
        for owner, saved in self._saved:
            held = vars(owner)
            is_class = isinstance(owner, type)
            if all(map(is_, map(held.get, saved), saved.values())) and not (
                is_class and len(held) > len(saved)
            ):
                continue  # the usual case, in C
            for name, was in saved.items():
                if _is_function(was) and held.get(name) is not was and (owner, name) not in OWN_DOING:
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
        if isinstance(value, type) and (_is_of_libraries(value.__module__) or _is_layer_or_tensor(value))
    )
    return [*modules, *dict.fromkeys(classes)]


def _is_of_libraries(module: object) -> bool:
    return str(module).partition(".")[0] in LIBRARIES


def _is_layer_or_tensor(kind: type) -> bool:
    return kind is Tensor or (issubclass(kind, nn.Module) and kind.__module__.startswith("torch.nn."))


def _is_function(value: object) -> bool:
    return callable(value) or isinstance(value, (staticmethod, classmethod, property))
