"""Ranges of settings, declared as annotations, and the sentence for a value outside of its range.

``steps: Annotated[int, Ge(1)] = 28`` is checked before anything is computed (see ``components.setting``). Infinity and
nan are outside of every range, unless it ends at infinity: ``Interval(gt=0, le=math.inf)``. A whole number whose range
has no end is a count, and ends at :data:`MOST`. A text after the range says what it is the range of.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Annotated, SupportsFloat, get_args, get_origin

from annotated_types import Ge, Gt, Interval, Le, Lt, Predicate

from ..errors import SettingError

MOST = 1_000_000
"""The largest count, of steps, draws or pixels: a thousand times more than anybody uses, and no run of years."""

Limit = Ge | Gt | Le | Lt | Interval | Predicate
"""What is read of an annotation. The docstring of a predicate says what it wants."""

Count = Annotated[int, Ge(1)]
NotNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Interval(gt=0, le=1)]
ProperShare = Annotated[float, Interval(gt=0, lt=1)]
Radius = Annotated[float, Interval(ge=0, le=1), "the range of a pixel"]
"""Radius of a ball around an image, in units of its values."""
JpegQuality = Annotated[int, Interval(ge=1, le=95)]
"""Quality of JPEG compression on Pillow's scale."""
Window = Annotated[int, Ge(0)]
"""Radius of a square of pixels, whose side is ``2 * window + 1``."""


class AddedLater:
    """In an annotation: the setting is younger than records that are published.

    At its default it stands in no name and no identity, so that the keys of records stay what they are.
    """


class AsksFor:
    """In an annotation: with some values of the setting, the component asks for what it leaves alone with others.

    Args:
        what: ``reference``, the statistics of the training split; ``images``, inputs ``(B, C, H, W)``; ``pixels``, as
            many of them in an input as the setting says; or a shared value of the metric.
        values: of the setting with which it asks; of ``pixels``, none.
    """

    def __init__(self, what: str, *values: object) -> None:
        self.what, self.values = what, values


@dataclass(frozen=True)
class Range:
    """The values that a setting may have.

    Args:
        limits: all of them must hold.
        of: what it is the range of, in words; may be empty.
        optional: whether there may be no number at all: None is allowed.
    """

    limits: tuple[Limit, ...] = ()
    of: str = ""
    optional: bool = False

    @property
    def text(self) -> str:
        """The range in words, such as ``at least 1`` or ``0 to 1``; empty where every value is allowed."""
        return " and ".join(_words(limit) for limit in self.limits).removeprefix("from ")

    def check(self, owner: str, setting: str, value: object) -> None:
        """Refuses a value that is outside of the range.

        Args:
            owner: name of the component whose setting it is.
            setting: its name.
            value: what it would be.

        Raises:
            SettingError: it is outside.
        """
        if value is None and self.optional:
            return
        for limit in self.limits:
            if not _holds(limit, value):
                wanted = ("a number " if self.optional else "") + _words(limit, infinite=value == inf)
                wanted += f", {self.of}" if self.of else ""
                got = f"{float(value):g}" if isinstance(value, SupportsFloat) else value
                raise SettingError(f"setting '{setting}' of '{owner}' must be {wanted}; got '{got}'")
        if isinstance(value, int) and value > MOST and self._is_open:
            raise SettingError(
                f"setting '{setting}' of '{owner}' must be at most {MOST}, as every count; got '{value}'"
            )

    @property
    def _is_open(self) -> bool:
        """Whether the range has a beginning and no end."""
        bounds = [_bounds(limit) for limit in self.limits if not isinstance(limit, Predicate)]
        return bool(bounds) and all(at_most is None and below is None for _, _, at_most, below in bounds)


def read_range(annotation: object) -> Range:
    """The range that an annotation declares: of ``Annotated[...]``, or of ``Annotated[...] | None``."""
    if get_origin(annotation) is Annotated:
        _, *said = get_args(annotation)
        texts = [each for each in said if isinstance(each, str)]
        return Range(tuple(each for each in said if isinstance(each, Limit)), " ".join(texts))
    for part in get_args(annotation):
        if get_origin(part) is Annotated:
            inner = read_range(part)
            return Range(inner.limits, inner.of, optional=True)
    return Range()


def _holds(limit: Limit, value: object) -> bool:
    if isinstance(limit, Predicate):
        return bool(limit.func(value))
    if not isinstance(value, SupportsFloat):  # a word
        return False
    number = float(value)
    at_least, above, at_most, below = _bounds(limit)
    return (
        (number > -inf if at_least is None else number >= at_least)
        and (above is None or number > above)
        and (number < inf if at_most is None else number <= at_most)
        and (below is None or number < below)
    )


def _words(limit: Limit, *, infinite: bool = False) -> str:
    """What a value must be, as in ``at least 1``; where it is infinite, that it must not be as well."""
    if isinstance(limit, Predicate):
        said = " ".join((limit.func.__doc__ or limit.func.__name__).split()).removesuffix(".")
        return said[:1].lower() + said[1:]
    at_least, above, at_most, below = _bounds(limit)
    if at_most == inf:
        return f"greater than {above:g}" if at_least is None else f"at least {at_least:g}"
    if at_least is not None and at_most is not None:
        return f"from {at_least:g} to {at_most:g}"
    open_end = at_most is None and below is None
    if open_end and above == 0:
        return "finite" if infinite else "positive"
    named = {"at least": at_least, "above": above, "at most": at_most, "below": below}
    words = [f"{word} {bound:g}" for word, bound in named.items() if bound is not None]
    return " and ".join([*words, "finite"] if open_end and infinite else words)


def _bounds(limit: Ge | Gt | Le | Lt | Interval) -> tuple[float | None, ...]:
    """What a value must be at least, above, at most and below; None where there is no such bound."""
    return tuple(getattr(limit, name, None) for name in ("ge", "gt", "le", "lt"))
