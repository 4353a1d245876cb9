"""What all components share beside the networks: settings of torch and NumPy, functions, random numbers."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import is_
from types import BuiltinFunctionType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as global_hooks

from ..toolkit.rng import seed_word

Setting = tuple[Callable[[], Any], Callable[[Any], object]]
"""Reads a part of the state, and sets it."""


def _flag(owner: Any, name: str) -> Setting:  # noqa: ANN401 - a part of torch
    return lambda: getattr(owner, name), lambda value: setattr(owner, name, value)


def _set_device(device: torch.device) -> None:
    torch.set_default_device(
        None if device.type == "cpu" else device
    )  # one that is set costs time at every call


def _autocast() -> list[tuple[str, bool, torch.dtype]]:
    return [
        (kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in ("cpu", "cuda")
    ]


def _set_autocast(state: list[tuple[str, bool, torch.dtype]]) -> None:
    for kind, enabled, dtype in state:
        torch.set_autocast_enabled(kind, enabled)
        torch.set_autocast_dtype(kind, dtype)


def _set_deterministic(state: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(state[0], warn_only=state[1])


SETTINGS: Mapping[str, Setting] = {
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": (torch.get_default_device, _set_device),
    "whether torch records gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
    "torch's deterministic mode": (
        lambda: (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
        ),
        _set_deterministic,
    ),
    "torch's precision of matrix products": (
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    ),
    "torch's autocast": (_autocast, _set_autocast),
    "torch's anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "torch.backends.cudnn.enabled": _flag(torch.backends.cudnn, "enabled"),
    "torch.backends.cudnn.benchmark": _flag(torch.backends.cudnn, "benchmark"),
    "torch.backends.cudnn.deterministic": _flag(torch.backends.cudnn, "deterministic"),
    "NumPy's error handling": (np.geterr, lambda state: np.seterr(**state)),
    "the working folder": (os.getcwd, os.chdir),
}
"""By name, what a component may set and forget to set back."""

GLOBAL_HOOKS = [
    held for name, held in vars(global_hooks).items() if "_global_" in name and isinstance(held, dict)
]
"""Hooks that torch calls for every layer of every network."""


class Settings:
    """The settings as they are now, to be compared with and put back later."""

    def __init__(self) -> None:
        self._before = {name: read() for name, (read, _) in SETTINGS.items()}
        self._hooks = [dict(held) for held in GLOBAL_HOOKS]

    def changes(self) -> list[str]:
        """What has changed: ``changed torch's default dtype``."""
        found = [f"changed {name}" for name, was in self._before.items() if SETTINGS[name][0]() != was]
        hooks = any(now != was for now, was in zip(GLOBAL_HOOKS, self._hooks, strict=True))
        return [*found, "changed torch's hooks of all layers"] if hooks else found

    def put_back(self) -> None:
        """Makes everything as it was."""
        for name, was in self._before.items():
            read, write = SETTINGS[name]
            if read() != was:
                write(was)
        for now, was in zip(GLOBAL_HOOKS, self._hooks, strict=True):
            if now != was:
                now.clear()
                now.update(was)


class Functions:
    """The functions of torch, and those of the classes of some networks' layers, all of which can be replaced.

    Args:
        networks: by name.
    """

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        layers = {type(layer) for network in networks.values() for layer in network.modules()}
        classes = {each for layer in layers for each in layer.__mro__ if each is not object}
        owners: list[Any] = [torch, torch.nn.functional, torch.Tensor, *sorted(classes, key=repr)]
        self._saved = [(owner, _functions(owner)) for owner in owners]

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
            if not all(map(is_, map(held.get, saved), saved.values())):
                yield from ((owner, name, was) for name, was in saved.items() if held.get(name) is not was)
            if isinstance(owner, type):
                yield from ((owner, name, None) for name in _functions(owner).keys() - saved.keys())


def _functions(owner: Any) -> dict[str, object]:  # noqa: ANN401 - a module or a class
    """The functions of a class or of a part of torch; of torch itself operations alone: it replaces others itself."""

    def is_function(value: object) -> bool:
        if owner is torch:
            return isinstance(value, BuiltinFunctionType)
        return callable(value) or isinstance(value, (staticmethod, classmethod, property))

    return {name: value for name, value in vars(owner).items() if is_function(value)}


@contextmanager
def own_random_numbers(seed: int, purpose: str) -> Iterator[Callable[[], bool]]:
    """Starts the random numbers of torch, NumPy and Python from a seed, and continues the old ones afterwards.

    A component that draws from them thus gives the same values in every run, and changes nobody else's.

    Args:
        seed: of the run.
        purpose: kind and name of the component.

    Yields:
        A function that says whether numbers were drawn since.
    """
    number = seed_word(seed, purpose) % 2**32
    before = _streams()
    on_gpu = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    torch.default_generator.manual_seed(number)
    if on_gpu:
        torch.cuda.manual_seed_all(number)
    np.random.seed(number)  # noqa: NPY002 - the one that libraries draw from
    random.seed(number)
    start = _streams()
    try:
        yield lambda: not _same_streams(_streams(), start)
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        random.setstate(before[2])
        if on_gpu:
            torch.cuda.set_rng_state_all(on_gpu)


Streams = tuple[torch.Tensor, Any, Any]


def _streams() -> Streams:
    return torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002


def _same_streams(one: Streams, other: Streams) -> bool:
    same_numpy = all(np.array_equal(a, b) for a, b in zip(one[1], other[1], strict=True))
    return torch.equal(one[0], other[0]) and same_numpy and one[2] == other[2]
