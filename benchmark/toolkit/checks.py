"""Refusals of what makes no sense, before anything is computed."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ..errors import SettingError, XaiboardError

if TYPE_CHECKING:
    from torch import Tensor


def at_least(least: float, component: str, **settings: float) -> None:
    """Refuses settings of a component below ``least``, and those that are infinite or not a number.

    Raises:
        SettingError: a setting is smaller.
    """
    for name, value in settings.items():
        if not least <= value < inf:
            wanted = f"at least {least:g}" + (" and finite" if value == inf else "")
            raise SettingError(f"setting '{name}' of '{component}' must be {wanted}; got '{value:g}'")


def positive(component: str, **settings: float) -> None:
    """Refuses settings of a component that are not positive, infinite, or not a number.

    Raises:
        SettingError: a setting is.
    """
    for name, value in settings.items():
        if not 0 < value < inf:
            wanted = "finite" if value == inf else "positive"
            raise SettingError(f"setting '{name}' of '{component}' must be {wanted}; got '{value:g}'")


def radius(perturbation: str, eps: float) -> None:
    """Refuses a radius outside ``[0, 1]``, the range of a pixel.

    Raises:
        SettingError: it is.
    """
    if not 0 <= eps <= 1:
        raise SettingError(
            f"setting 'eps' of '{perturbation}' must be from 0 to 1, the range of a pixel; got '{eps:g}'"
        )


def need_images(x: Tensor, component: str) -> None:
    """Refuses vectors.

    Raises:
        XaiboardError: ``x`` is not ``(B, C, H, W)``.
    """
    if x.dim() != 4:
        raise XaiboardError(f"'{component}' needs images (B, C, H, W); got {tuple(x.shape)}")
