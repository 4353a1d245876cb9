"""One container, tensor or array as it was: whether it has changed since, and how it is put back in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import is_
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Change = tuple[str, str]
"""What was done, and to what: ``("changed the values of", "model.0.weight")``."""

GRADIENTS = "left gradients on"
"""What is put back and is no fault outside the contract tests: most code that calls ``backward`` does it."""

CHILDREN = ("_modules", "_parameters", "_buffers")
WHOLE = object()
"""Stands for all that a list or a set holds, and for the order of a dict."""


class Contents:
    """What a layer, another object, a dict, a list or a set holds, without what lies inside that.

    Args:
        where: how code would write it: ``model.0``. A dict inside a layer that torch keeps stands after a bar:
            ``model.0|_forward_hooks``.
        owner: the object.
        held: where it keeps what it holds: for a layer its ``__dict__``.
    """

    def __init__(self, where: str, owner: Any, held: Any) -> None:  # noqa: ANN401 - any object
        self.where, self.owner, self.held = where, owner, held
        self.type, self.saved = type(owner), _copy(held)
        self.training = owner.training if isinstance(owner, torch.jit.ScriptModule) else None
        self.overlooked: set[Any] = set()

    def inside(self) -> Iterator[tuple[str, Any]]:
        """What it holds, each with where that is."""
        pairs = self.saved.items() if isinstance(self.saved, Mapping) else enumerate(self.saved)
        return ((self._place(key), value) for key, value in pairs)

    def changes(self) -> list[Change]:
        """What was set, deleted, added or moved."""
        return [self._name(key) for key in self._changed() - self.overlooked]

    def overlook(self) -> bool:
        """Neither reports nor puts back from now on what has changed by now; returns whether that is everything."""
        self.overlooked |= self._changed()
        return False

    def put_back(self) -> None:
        """Makes it hold what it held."""
        if not self._changed() - self.overlooked:
            return
        if type(self.owner) is not self.type:
            self.owner.__class__ = self.type
        if self.training is not None:
            self.owner.training = self.training
        if isinstance(self.saved, Mapping):
            own = {key: dict.get(self.held, key) for key in self.overlooked if key in self.held}
            self.held.clear()
            self.held.update({**self.saved, **own})
        elif isinstance(self.saved, set):
            self.held.clear()
            self.held.update(self.saved)
        else:
            self.held[:] = self.saved

    def _changed(self) -> set[Any]:
        """Keys of a dict that have changed."""
        found: set[Any] = set()
        if type(self.owner) is not self.type:
            found.add("__class__")
        if self.training is not None and self.owner.training != self.training:
            found.add("training")
        now, saved = self.held, self.saved
        if isinstance(saved, set):
            return found if now == saved else found | {WHOLE}
        if not isinstance(saved, Mapping):
            return found if len(now) == len(saved) and all(map(is_same, now, saved)) else found | {WHOLE}
        if (
            len(now) == len(saved)
            and all(map(is_, now, saved))
            and all(map(is_, now.values(), saved.values()))
        ):
            return found  # the usual case, in C
        keys = {
            key for key in (*saved, *now) if not is_same(dict.get(now, key, WHOLE), saved.get(key, WHOLE))
        }
        moved = not keys and list(now) != list(saved)
        return found | keys | ({WHOLE} if moved else set())

    def _place(self, key: Any) -> str:  # noqa: ANN401
        layer, _, kind = self.where.partition("|")
        if kind in CHILDREN or (not kind and isinstance(key, str) and key[:1] != "_"):
            return f"{layer}.{key}"
        return f"{self.where}|{key}" if isinstance(self.owner, nn.Module) else f"{self.where}[{key!r}]"

    def _name(self, key: Any) -> Change:  # noqa: ANN401
        layer, _, kind = self.where.partition("|")
        if "hook" in f"{kind}{key}":
            return "changed the hooks of", layer
        if key == "training":
            return "changed the training mode of", layer
        if key == "__class__" or key is WHOLE:
            return "changed", layer
        if kind in CHILDREN:
            return "replaced", f"{layer}.{key}"
        return "changed the attribute", self._place(key)


def _copy(held: Any) -> Any:  # noqa: ANN401 - a dict, a list or a set
    # not what a subclass of dict copies and looks up: that may make something new of what it holds
    return {key: dict.get(held, key) for key in held} if isinstance(held, dict) else held.copy()


class Numbers:
    """A tensor or an array.

    Args:
        where: how code would write it: ``model.0.weight``.
        owner: the tensor or array.
        values: whether its values are copied, so that a change of them is found and put back.
    """

    def __init__(self, where: str, owner: Any, *, values: bool) -> None:  # noqa: ANN401 - tensor or array
        self.where, self.owner = where, owner
        self.data: Any = owner.data if isinstance(owner, Tensor) else owner
        self.form = _form(owner)
        self.saved: Any = (
            (self.data.clone() if isinstance(owner, Tensor) else owner.copy()) if values else None
        )
        leaf = isinstance(owner, Tensor) and owner.is_leaf
        self.gradient = (owner.requires_grad, owner.grad) if leaf else None

    def changes(self) -> list[Change]:
        """What was done to it."""
        found = []
        if _form(self.owner) != self.form:
            found.append("changed the dtype, device or shape of")
        elif self._moved() or not self._kept():
            found.append("changed the values of")
        if self.gradient and self.owner.requires_grad != self.gradient[0]:
            found.append("changed requires_grad of")
        if self.gradient and self.owner.grad is not self.gradient[1]:
            found.append(GRADIENTS)
        return [(each, self.where) for each in found]

    def overlook(self) -> bool:
        """Whether it has changed by now: it need not be looked at any more."""
        return bool(self.changes())

    def put_back(self) -> None:
        """Gives it the memory, values and flags that it had."""
        if _form(self.owner) != self.form or self._moved():
            self.owner.data = self.data
        if not self._kept():
            self.data.copy_(self.saved) if isinstance(self.owner, Tensor) else np.copyto(
                self.data, self.saved
            )
        if self.gradient and self.owner.requires_grad != self.gradient[0]:
            self.owner.requires_grad_(self.gradient[0])
        if self.gradient and self.owner.grad is not self.gradient[1]:
            self.owner.grad = self.gradient[1]

    def _moved(self) -> bool:
        """Whether its values are in another place than they were."""
        strided = isinstance(self.owner, Tensor) and self.owner.layout is torch.strided
        return strided and self.owner.data_ptr() != self.data.data_ptr()

    def _kept(self) -> bool:
        """Whether the values are those that it had."""
        if self.saved is None:
            return True
        if not isinstance(self.owner, Tensor):
            return bool(np.array_equal(self.data, self.saved))
        return torch.equal(self.data, self.saved) or _same_with_nan(self.data, self.saved)


def _form(owner: Any) -> tuple[Any, ...]:  # noqa: ANN401 - tensor or array
    """What kind of numbers it has, how many, and where."""
    if not isinstance(owner, Tensor):
        return owner.dtype, owner.shape
    return owner.dtype, owner.device, owner.shape, owner.stride() if owner.layout is torch.strided else ()


def _same_with_nan(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors agree where NaN counts as equal to itself."""
    return one.is_floating_point() and bool(((one == other) | (one.isnan() & other.isnan())).all())


def is_same(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values are one object, or equal plain values."""
    plain = (bool, int, float, complex, str, bytes, type(None))
    return one is other or (type(one) is type(other) and isinstance(one, plain) and one == other)
