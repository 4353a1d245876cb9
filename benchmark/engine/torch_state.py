"""What all components share beside networks and functions: settings, modes, random numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import overrides
from torch.nn.modules import module as global_hooks
from torch.utils import _python_dispatch
from torch.utils._device import DeviceContext

from ..toolkit.rng import seed_word
from .python_state import PYTHON
from .torch_flags import FLAGS, Setting


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
    "torch's autocast": (_autocast, _set_autocast),
    "torch's anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "NumPy's error handling": (np.geterr, lambda state: np.seterr(**state)),
    **PYTHON,
    **FLAGS,
}
"""By name, what a component may set and forget to set back."""


class Modes:
    """The modes of torch that are open: each sees every call, so they are looked at before anything else."""

    def __init__(self) -> None:
        self._before = len(_function_modes()), len(_dispatch_modes())

    def changes(self) -> list[str]:
        """Whether others are open."""
        same = (len(_function_modes()), len(_dispatch_modes())) == self._before
        return [] if same else ["left a mode of torch open"]

    def put_back(self) -> None:
        """Closes those that were opened since."""
        for stack, pop, before in zip(
            (_function_modes, _dispatch_modes),
            (overrides._pop_mode, _python_dispatch._pop_mode),
            self._before,
            strict=True,
        ):
            while len(stack()) > before:
                pop()


def _function_modes() -> list[Any]:
    """Without the default device, which is one, and a setting of its own."""
    stack = overrides._get_current_function_mode_stack()
    return [mode for mode in stack if not isinstance(mode, DeviceContext)]


def _dispatch_modes() -> list[Any]:
    return list(_python_dispatch._get_current_dispatch_mode_stack())


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
        for _ in range(
            2
        ):  # a precision of torch can be set under several names, some of them only after others
            for name, was in self._before.items():
                read, write = SETTINGS[name]
                if read() != was:
                    write(was)
        for now, was in zip(GLOBAL_HOOKS, self._hooks, strict=True):
            if now != was:
                now.clear()
                now.update(was)


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
