"""Defaults that grow with the image: a number where the shorter side has 28 pixels, and a rule for other sides.

``patch: Count = part_of_side(7)`` is 4 where images are 28 pixels high, and 33 where they are 227 pixels high. The
suite replaces such a default by the number for its data, so that names, identities and tables hold the number. A
function that is called directly does so itself, by :func:`sized`. A value that somebody gives is a number of pixels,
whatever the size of the images. Vectors, ``(B, F)``, have no sides and no neighbours: a patch is one feature there, and
a number of pixels is the same share of the features. What needs an image keeps its default for 28.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 28
"""The shorter side of the images, in pixels, for which a default is stated as a number."""

Rule = Callable[[Sequence[int], Mapping[str, Any]], float]
"""From the shape of one input, ``(C, H, W)`` or ``(F,)``, and the values of the component's settings."""

N = TypeVar("N", int, float)
T = TypeVar("T")


class Sized:
    """A default that depends on the size of the images; as a number it is the default for a shorter side of 28.

    Args:
        rule: the default for other sizes.
        words: the same in words, where ``s`` is the shorter side.
        of_vectors: the default for vectors ``(F,)``; None for the default for 28.
    """

    rule: Rule
    words: str
    of_vectors: Rule | None

    def at(self, shape: Sequence[int], settings: Mapping[str, Any]) -> float:
        """The plain number for inputs of ``shape``, ``(C, H, W)`` or ``(F,)``, beside other ``settings``."""
        number: Any = int if isinstance(self, int) else float
        if len(shape) == 1 and self.of_vectors:
            return number(self.of_vectors(shape, settings))
        return number(self if shorter_side(shape) == SIDE else self.rule(shape, settings))


class SizedInt(Sized, int):
    """A whole number that depends on the size of the images."""


class SizedFloat(Sized, float):
    """A number that depends on the size of the images."""


def shorter_side(shape: Sequence[int]) -> int:
    """The shorter side of images of ``shape``, ``(C, H, W)``, in pixels; 28 for vectors ``(F,)``, without sides."""
    return min(shape[1:], default=SIDE)


def per_size(at_28: N, words: str, rule: Rule, of_vectors: Rule | None = None) -> N:
    """A default that depends on the shape of the inputs; see :class:`Sized`."""
    default: Any = (SizedInt if isinstance(at_28, int) else SizedFloat)(at_28)
    default.rule, default.words, default.of_vectors = rule, words, of_vectors
    return default


def per_side(words: str, rule: Callable[[int], N], of_vectors: Rule | None = None) -> N:
    """A default that depends on the shorter side alone; see :class:`Sized`."""
    return per_size(rule(SIDE), words, lambda shape, _: rule(shorter_side(shape)), of_vectors)


def one_feature(*_: object) -> int:
    """The side of a patch or window of vectors, whose features have no neighbours."""
    return 1


def part_of_side(parts: int) -> int:
    """One of so many parts of the shorter side, rounded up: ``part_of_side(7)`` is 4 at 28 and 33 at 227."""
    return per_side(f"ceil(s / {parts}) pixels", lambda side: ceil(side / parts), one_feature)


def so_many_pixels(at_28: N) -> N:
    """A number of pixels in proportion to the shorter side, as :func:`in_proportion`, or of vectors' features.

    100 at 28 is 811 at 227, and 100 of 784 features, 4 of 30.
    """
    return in_proportion(at_28, lambda shape, _: max(1, round(at_28 * shape[0] / SIDE**2)))


def in_proportion(at_28: N, of_vectors: Rule | None = None) -> N:
    """In proportion to the shorter side; a whole number stays one, and at least 1: 10 at 28 is 81 at 227."""

    def rule(side: int) -> N:
        exact = at_28 * side / SIDE
        return type(at_28)(max(1, round(exact)) if at_28 == int(at_28) else round(exact, 2))

    return per_side(f"{at_28:g} s / {SIDE}, rounded", rule, of_vectors)


def resolve(value: T, shape: Sequence[int], settings: Mapping[str, Any]) -> T:
    """A setting's value for inputs of ``shape``, beside the other ``settings``; plain values stay what they are."""
    number: Any = value.at(shape, settings) if isinstance(value, Sized) else value
    return number


def sized(setting: T, x: Tensor, **others: object) -> T:
    """A setting, or a group of settings, for inputs of the size of ``x``.

    Args:
        setting: a value, or a frozen dataclass of values.
        x: inputs, or attributions of them, ``(B, C, H, W)`` or ``(B, F)``.
        others: other settings, if the default depends on them.
    """
    shape = x.shape[1:]
    if not is_dataclass(setting) or isinstance(setting, type):
        return resolve(setting, shape, others)
    values = {field.name: getattr(setting, field.name) for field in fields(setting)}
    return replace(setting, **{name: resolve(value, shape, values) for name, value in values.items()})
