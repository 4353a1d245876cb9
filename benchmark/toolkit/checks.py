"""Refusals of settings and inputs that make no sense.

The range of a setting by itself is better declared as its annotation (:mod:`.ranges`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from annotated_types import Ge, Gt

from ..errors import XaiboardError
from .ranges import Radius, Range, read_range

if TYPE_CHECKING:
    from torch import Tensor


def at_least(least: float, component: str, **settings: float) -> None:
    """Refuses settings of a component that are below ``least``, infinite, or not a number.

    Raises:
        SettingError: a setting is.
    """
    for name, value in settings.items():
        Range((Ge(least),)).check(component, name, value)


def positive(component: str, **settings: float) -> None:
    """Refuses settings of a component that are not positive, infinite, or not a number.

    Raises:
        SettingError: a setting is.
    """
    for name, value in settings.items():
        Range((Gt(0),)).check(component, name, value)


def radius(perturbation: str, eps: float) -> None:
    """Refuses a radius outside of ``[0, 1]``, the range of a pixel.

    Raises:
        SettingError: it is outside.
    """
    read_range(Radius).check(perturbation, "eps", eps)


def need_targets(target: object, x: Tensor, classes: int) -> Tensor:
    """The explained classes, checked.

    Args:
        target: what was given for them.
        x: the inputs, ``(B, ...)``.
        classes: number of logits.

    Raises:
        XaiboardError: they are not one whole number from 0 to ``classes - 1`` for each input.
    """
    wanted = (
        f"target must be whole numbers of shape ({len(x)},), one class from 0 to {classes - 1} for each input"
    )
    kind = str(getattr(target, "dtype", type(target).__name__)).removeprefix("torch.")
    shape = getattr(target, "shape", None)
    if shape is None or not kind.startswith(("int", "uint")):
        raise XaiboardError(
            f"{wanted}; got {kind}" + (f" of shape {tuple(shape)}" if shape is not None else "")
        )
    found = cast("Tensor", target)
    if tuple(shape) != (len(x),):
        raise XaiboardError(f"{wanted}; got shape {tuple(shape)}")
    low, high = (int(found.min()), int(found.max())) if len(found) else (0, 0)
    if low < 0 or high >= classes:
        raise XaiboardError(f"{wanted}; got {low if low < 0 else high}")
    return found.long().to(x.device)


def need_images(x: Tensor, component: str) -> None:
    """Refuses vectors.

    Raises:
        XaiboardError: ``x`` is not ``(B, C, H, W)``.
    """
    if x.dim() != 4:
        raise XaiboardError(f"'{component}' needs images (B, C, H, W); got {tuple(x.shape)}")
