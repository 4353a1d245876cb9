"""What Python functions do: which of them were rewritten in place, and how they are put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from types import FunctionType
from typing import Any

READ = attrgetter("__code__", "__defaults__", "__kwdefaults__")
"""What a function does, and the defaults of its parameters."""


class Code:
    """The code and defaults of some functions.

    Args:
        functions: each once.
    """

    def __init__(self, functions: Sequence[FunctionType]) -> None:
        self._functions, self._saved = functions, list(map(READ, functions))
        named = [each for *_, each in self._saved if each]
        self._named = [(held, dict(held)) for held in named]  # these can be changed in place

    def rewritten(self) -> list[FunctionType]:
        """The functions that have other code or other defaults than they had."""
        same = all(held == saved for held, saved in self._named)
        if same and list(map(READ, self._functions)) == self._saved:
            return []  # the usual case, mostly in C
        changed = {id(held) for held, saved in self._named if held != saved}
        pairs = zip(self._functions, self._saved, strict=True)
        return [each for each, saved in pairs if READ(each) != saved or id(saved[2]) in changed]

    def put_back(self) -> None:
        """Gives the functions what they had."""
        for each, (code, defaults, named) in zip(self._functions, self._saved, strict=True):
            if READ(each) != (code, defaults, named):
                each.__code__, each.__defaults__, each.__kwdefaults__ = code, defaults, named
        for held, saved in self._named:
            if held != saved:
                held.clear()
                held.update(saved)


def functions_in(owners: Iterable[object]) -> list[FunctionType]:
    """The Python functions that modules and classes hold, each once."""
    values = (value for owner in owners for value in list(vars(owner).values()))
    return list({id(each): each for value in values for each in _functions(value)}.values())


def _functions(value: object) -> Iterator[FunctionType]:
    """The Python function that a module or class holds, and those that decorators have wrapped."""
    each: Any = value
    if isinstance(each, (staticmethod, classmethod)):
        each = each.__func__
    elif isinstance(each, property):
        each = each.fget
    while isinstance(each, FunctionType):
        yield each
        each = each.__dict__.get("__wrapped__")
