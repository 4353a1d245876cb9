"""A digest that differs for functions with different code, also if only a closure or a default differs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import PurePath
from types import CodeType, EllipsisType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import XaiboardError

CO_HAS_DOCSTRING = 0x4000000
"""Flag of a code object in Python 3.13 and later: its first constant is a docstring."""


def code_digest(function: Callable[..., Any], *, docstrings: bool = True) -> str:
    """First 12 hexadecimal digits of the SHA-256 over a function's bytecode, constants, defaults and closure.

    Args:
        function: a function; a class counts by its name alone.
        docstrings: whether docstrings count. They do in the digest that identifies a function without a version: it is
            part of the keys of finished cells, which must stay what they are.

    Raises:
        XaiboardError: the function depends on an object that has no digest.
    """
    content = _content(function, 0, docstrings)
    return sha256(repr(content).encode()).hexdigest()[:12]


def _content(value: Any, depth: int, docstrings: bool) -> object:  # noqa: ANN401, PLR0911, PLR0912 - whatever a closure may hold
    """``value`` as nested tuples and lists whose ``repr`` is the same in every process.

    Args:
        value: a function, or anything that its code or closure refers to.
        depth: in how many functions the value is nested; a function nested in five others is refused, so that functions
            that refer to each other come to an end.
        docstrings: whether docstrings count.

    Raises:
        XaiboardError: an object whose content is not known.
    """
    match value:
        case None | bool() | int() | float() | complex() | str() | bytes():
            return value
        case EllipsisType() | range() | slice() | PurePath():
            return type(value).__name__, str(value)
        case np.ndarray() | np.generic() if value.dtype != object:
            return str(value.dtype), value.shape, value.tobytes()
        case partial():
            return [
                _content(part, depth + 1, docstrings) for part in (value.func, value.args, value.keywords)
            ]
        case tuple() | list():
            return type(value).__name__, [_content(item, depth, docstrings) for item in value]
        case dict():
            return sorted((str(key), repr(_content(item, depth, docstrings))) for key, item in value.items())
        case frozenset() | set():
            return sorted(repr(_content(item, depth, docstrings)) for item in value)
        case CodeType():
            constants = value.co_consts if docstrings else _without_docstring(value)
            return value.co_code, value.co_names, _content(constants, depth, docstrings)
        case Tensor():
            return str(value.dtype), tuple(value.shape), value.detach().cpu().contiguous().numpy().tobytes()
        case nn.Module():
            return type(value).__qualname__, _content(dict(value.state_dict()), depth, docstrings)
        case torch.dtype() | torch.device():
            return str(value)
        case type():
            return value.__module__, value.__qualname__
    code = getattr(value, "__code__", None)
    if code is not None and depth < 5:
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        parts = (code, value.__defaults__, value.__kwdefaults__, cells)
        return [_content(part, depth + 1, docstrings) for part in parts]
    if inspect.ismodule(value) or inspect.isbuiltin(value):
        return value.__name__
    raise XaiboardError(
        f"a function given as an object depends on a {type(value).__name__}, which cannot be told from another;"
        " register the function with a decorator and a version"
    )


def _without_docstring(code: CodeType) -> tuple[object, ...]:
    """The constants of a code object, with None in the place of a docstring."""
    has = (
        bool(code.co_flags & CO_HAS_DOCSTRING)
        if sys.version_info >= (3, 13)
        else bool(code.co_flags & inspect.CO_NEWLOCALS) and not code.co_name.startswith("<")
    )
    return (None, *code.co_consts[1:]) if has and isinstance(code.co_consts[0], str) else code.co_consts
