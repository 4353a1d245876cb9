"""Values that are computed once and kept, and what each of them cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from torch import Tensor

from .costs import Cost, total
from .passes import Passes

T = TypeVar("T")

Key = tuple[str, ...]
"""The name of a kept value, and the labels of what it depends on."""


class Measured(NamedTuple):
    """What a computation cost.

    Args:
        own: without the kept values that it uses.
        used: keys of those values in ``Memo.cost``; each is computed once, whoever uses it.
    """

    own: Cost
    used: frozenset[Key]


class Memo:
    """Keeps values by key; errors too, which are raised to everyone who asks.

    Args:
        passes: the running count of passes through the model, from which costs are read.

    Attributes:
        cost: of each value, without the other kept values that it uses.
    """

    def __init__(self, passes: Passes) -> None:
        self.passes = passes
        self.cost: dict[Key, Cost] = {}
        self._kept: dict[Key, Tensor | Exception] = {}
        self._needs: dict[Key, set[Key]] = {}
        self._used: set[Key] = set()

    def once(self, key: Key, compute: Callable[[], Tensor]) -> Tensor:
        """The value under ``key``: kept, or else computed."""
        if key not in self._kept:
            outer, self._used = self._used, set()
            before, start = set(self.cost), self._spent()
            try:
                self._kept[key] = compute()
            except Exception as error:  # each cell that needs this value fails with it
                self._kept[key] = error
            self.cost[key] = self._spent() - start - self._since(before)
            self._needs[key], self._used = self._used, outer
        self._used |= {key, *self._needs[key]}
        value = self._kept[key]
        if isinstance(value, Exception):
            raise value
        return value

    def measured(self, compute: Callable[[], T]) -> tuple[T, Measured]:
        """What ``compute`` returns, and what it cost."""
        before, start, self._used = set(self.cost), self._spent(), set()
        result = compute()
        return result, Measured(self._spent() - start - self._since(before), frozenset(self._used))

    def forget(self, label: str) -> None:
        """Frees the values that depend on what has that label; what they cost stays known."""
        for key in [key for key in self._kept if label in key[1:]]:
            del self._kept[key]

    def _spent(self) -> Cost:
        return Cost(time.perf_counter(), self.passes.forward, self.passes.backward)

    def _since(self, before: set[Key]) -> Cost:
        """The cost of the values that were not there ``before``."""
        return total(cost for key, cost in self.cost.items() if key not in before)
