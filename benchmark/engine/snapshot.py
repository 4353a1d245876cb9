"""Remembers networks with all that hangs on them or that their code reads; finds and puts back what has changed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .remembered import Contents, Numbers
from .remembered_names import Names

OPAQUE = {*sys.stdlib_module_names, "torch", "numpy", "captum", "xaiboard"}
"""Libraries whose objects are not looked into, apart from layers, tensors, arrays and containers."""

LARGEST = 50_000
"""Objects that are remembered at most: a network may refer to the whole program in which it was trained."""


class Snapshot:
    """Every container and tensor that can be reached from some networks: layers, hooks, attributes, weights.

    Args:
        networks: by how code would write them: ``model``.
        values: whether the values of tensors are copied, so that a change of them is found and put back.
    """

    def __init__(self, networks: Mapping[str, nn.Module], *, values: bool = True) -> None:
        self._parts: list[Contents | Names | Numbers] = []
        seen: dict[int, Any] = {}  # objects too: what is made on the way must not hand its identity on
        todo: list[tuple[str, Any]] = list(networks.items())
        while todo and len(self._parts) < LARGEST:
            where, each = todo.pop()
            if id(each) in seen:
                continue
            if isinstance(each, (Tensor, np.ndarray)):
                if not (isinstance(each, Tensor) and is_lazy(each)):
                    self._parts.append(Numbers(where, each, values=values))
            elif isinstance(each, FunctionType):
                if not _is_opaque(each.__module__):
                    self._parts.append(part := Names(each))
                    todo += part.inside()
            elif (held := _held(each)) is not None:
                self._parts.append(part := Contents(where, each, held))
                todo += part.inside()
                if isinstance(each, nn.Module):
                    todo += _code(each)
            else:
                continue
            seen[id(each)] = each

    def changes(self) -> list[str]:
        """What has changed, one phrase for each kind of change: ``changed the values of 'model.0.weight'``."""
        found: dict[str, list[str]] = {}
        for part in self._parts:
            for change, where in part.changes():
                found.setdefault(change, []).append(where)
        return [_phrase(change, sorted(places)) for change, places in sorted(found.items())]

    def put_back(self) -> None:
        """Makes everything as it was."""
        for part in self._parts:
            part.put_back()

    def overlook(self) -> None:
        """Takes what has changed by now for the networks' own doing: it is neither reported nor put back any more."""
        self._parts = [part for part in self._parts if not part.overlook()]


def _held(each: Any) -> Any:  # noqa: ANN401 - whatever hangs on a network
    """Where an object keeps what it holds: a dict, a list or a set; None if it is not looked into."""
    if isinstance(each, torch.jit.ScriptModule):  # its ``__dict__`` does not have it
        return {**dict(each.named_children()), **dict(each.named_parameters()), **dict(each.named_buffers())}
    if isinstance(each, (nn.Module, SimpleNamespace)):
        return vars(each)
    if isinstance(each, (dict, list, set)):
        return each
    if isinstance(each, tuple):
        return list(each)
    known = _is_opaque(type(each).__module__) or isinstance(each, type)
    return None if known else getattr(each, "__dict__", None)


def _code(layer: nn.Module) -> list[tuple[str, FunctionType]]:
    """The functions of a layer's class, those of torch apart."""
    classes = [each for each in type(layer).__mro__ if not _is_opaque(each.__module__)]
    found = ((f"{each.__name__}.{name}", value) for each in classes for name, value in vars(each).items())
    return [(name, value) for name, value in found if isinstance(value, FunctionType)]


def _is_opaque(module: str | None) -> bool:
    return (module or "").partition(".")[0] in OPAQUE


def _phrase(change: str, places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{change} '{places[0]}'{more}"
