"""The variables outside a function that it reads: whether they have changed since, and how they are put back."""

from __future__ import annotations

from collections.abc import Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from .remembered import WHOLE, Change, is_same


class Names:
    """The global variables that a function reads, and those of the function around it.

    Args:
        owner: the function.
    """

    def __init__(self, owner: FunctionType) -> None:
        code = owner.__code__
        read = {name for each in _codes(code) for name in each.co_names} & owner.__globals__.keys()
        self._scope, self._saved = owner.__globals__, {name: owner.__globals__[name] for name in sorted(read)}
        around = zip(code.co_freevars, owner.__closure__ or (), strict=True)
        self._around = [(name, cell, _content(cell)) for name, cell in around]
        self._overlooked: set[str] = set()

    def inside(self) -> Iterator[tuple[str, Any]]:
        """The values, each with its name."""
        yield from self._saved.items()
        yield from ((name, value) for name, _, value in self._around)

    def changes(self) -> list[Change]:
        """Which were set."""
        return [("changed the variable", name) for name in sorted(self._changed())]

    def overlook(self) -> bool:
        """Neither reports nor puts back from now on what has changed by now; returns whether that is everything."""
        self._overlooked |= self._changed()
        return False

    def put_back(self) -> None:
        """Gives them the values that they had."""
        changed = self._changed()
        self._scope.update({name: was for name, was in self._saved.items() if name in changed})
        for name, cell, was in self._around:
            if name in changed and was is not WHOLE:
                cell.cell_contents = was

    def _changed(self) -> set[str]:
        found = {name for name, was in self._saved.items() if not is_same(self._scope.get(name, WHOLE), was)}
        found |= {name for name, cell, was in self._around if not is_same(_content(cell), was)}
        return found - self._overlooked


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and that of the functions in it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _content(cell: CellType) -> Any:  # noqa: ANN401
    """The value of a variable; one that stands for none where it has none yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return WHOLE
