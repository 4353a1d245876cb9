"""Values that are computed once and kept, and what each of them cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar, cast

from torch import Tensor

from .costs import Cost, total
from .held import Held
from .passes import Passes

T = TypeVar("T")
V = TypeVar("V", bound=Held)

Key = tuple[str, ...]
"""The name of a kept value, then the labels of the components that it depends on."""


class Measured(NamedTuple):
    """What a computation cost.

    Args:
        own: cost of the computation itself, without that of the kept values that it used.
        used: keys of the kept values that it used, directly or through others; ``Memo.cost`` has the cost of each.
            It is paid once, however many computations use the value.
    """

    own: Cost
    used: frozenset[Key]


class Memo:
    """Computes each value once and keeps it under its key.

    An exception is kept like a value: everyone who asks for the value gets the same exception.

    Args:
        passes: the running count of passes through the model, from which costs are read.

    Attributes:
        cost: cost of each value, without that of other kept values that it used.
    """

    def __init__(self, passes: Passes) -> None:
        self.passes = passes
        self.cost: dict[Key, Cost] = {}
        self._kept: dict[Key, Held | Exception] = {}
        self._needs: dict[Key, set[Key]] = {}
        self._used: set[Key] = set()
        """Keys that the computation under way has used so far."""

    def __contains__(self, key: Key) -> bool:
        """Whether a value, or the exception in its place, is kept."""
        return key in self._kept

    @property
    def bytes(self) -> int:
        """Memory of the values that are kept, without those on the disk."""
        return sum(value.nbytes for value in self._kept.values() if isinstance(value, Tensor))

    def once(self, key: Key, compute: Callable[[], V]) -> V:
        """The value under ``key``, computed by ``compute`` if it is not kept yet."""
        if key not in self._kept:
            outer, self._used = self._used, set()
            known, start = set(self.cost), self._spent()
            try:
                self._kept[key] = compute()
            except Exception as error:  # each cell that needs this value fails with it
                self._kept[key] = error
            self.cost[key] = self._spent() - start - self._cost_of_new(known)
            self._needs[key], self._used = self._used, outer
        self._used |= {key, *self._needs[key]}
        value = self._kept[key]
        if isinstance(value, Exception):
            raise value
        return cast("V", value)  # the values under a key are of one kind

    def measured(self, compute: Callable[[], T]) -> tuple[T, Measured]:
        """What ``compute`` returns, and what it cost."""
        known, start, self._used = set(self.cost), self._spent(), set()
        result = compute()
        return result, Measured(self._spent() - start - self._cost_of_new(known), frozenset(self._used))

    def forget(self, label: str) -> None:
        """Frees the values that depend on the component with this label; what they cost stays known."""
        for key in [key for key in self._kept if label in key[1:]]:
            del self._kept[key]

    def clear(self) -> None:
        """Frees all values."""
        self._kept.clear()

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """What is done inside the ``with`` block costs no passes."""
        before = self.passes.forward, self.passes.backward
        yield
        self.passes.forward, self.passes.backward = before

    def _spent(self) -> Cost:
        passes = self.passes
        return Cost(time.perf_counter(), passes.forward, passes.backward, passes.explained)

    def _cost_of_new(self, known: set[Key]) -> Cost:
        """Cost of the values computed since only ``known`` ones were there: it is theirs, not that of their user."""
        return total(cost for key, cost in self.cost.items() if key not in known)
