"""A setting of a component: what it may be, what it is by default and what it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real

from ..errors import SettingError, XaiboardError
from ..toolkit.labels import setting_text
from ..toolkit.per_side import SIDE, Sized, resolve
from ..toolkit.ranges import Range


@dataclass(frozen=True)
class Setting:
    """A keyword-only parameter of a component, or a field of a group of them.

    Args:
        name: of the parameter or field.
        default: a value of its type; where it depends on the size of the images, that for a shorter side of 28 pixels.
        choices: the allowed values, where it is annotated as ``Literal``.
        allowed: the range that its annotation declares.
        meaning: what the docstring says of it.
        added_later: whether it stands in no name and no identity while it has its default.
        asks: with which values the component asks for something that it leaves alone with others, by what that is.
    """

    name: str
    default: object
    choices: tuple[object, ...] = ()
    allowed: Range = field(default_factory=Range)
    meaning: str = ""
    added_later: bool = False
    asks: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    @property
    def range(self) -> str:
        """The range in words, such as ``at least 1``; empty where every value of the type is allowed."""
        return self.allowed.text

    @property
    def grows(self) -> str:
        """How the default depends on the size of the images, in words; empty where it does not."""
        if not isinstance(self.default, Sized):
            return ""
        return f"{self.default.words}, s the shorter side; {setting_text(self.default)} at {SIDE}"

    def is_default(self, value: object, shape: Sequence[int] | None, settings: Mapping[str, object]) -> bool:
        """Whether a value is the default.

        Args:
            value: of this setting.
            shape: of one input. None if it is not known yet: a default that depends on it is then no number, and a
                number no default.
            settings: the values of all settings of the component.
        """
        if shape is None and isinstance(self.default, Sized):
            return isinstance(value, Sized)
        return value == (self.default if shape is None else resolve(self.default, shape, settings))

    def parse(self, owner: str, value: object) -> object:
        """The value in this setting's type, from a typed value or the text of a selection pattern.

        Raises:
            XaiboardError: the value is not of the default's type, or not among the choices.
            SettingError: it is out of range.
        """
        parsed = _read(value, self.default)
        if parsed is _WRONG or (self.choices and parsed not in self.choices):
            wanted = (
                "one of " + ", ".join(map(str, self.choices))
                if self.choices
                else f"{_type_name(self.default)}, as in {self.name}={setting_text(self.default)}"
            )
            raise XaiboardError(f"setting '{self.name}' of '{owner}' must be {wanted}; got '{value}'")
        self.allowed.check(owner, self.name, parsed)
        if isinstance(parsed, int) and not -(2**63) <= parsed < 2**63:
            raise SettingError(
                f"setting '{self.name}' of '{owner}' must have at most 64 bits; got '{parsed}'"
            )
        return parsed


_WRONG = object()


def _type_name(default: object) -> str:
    """``int`` of a whole number that depends on the size of the images, too."""
    return next(each.__name__ for each in (bool, int, float, type(default)) if isinstance(default, each))


def _read(value: object, default: object) -> object:
    """``value`` in the type of ``default``, or ``_WRONG``; a default of None takes a number or a word."""
    if isinstance(value, str):
        return _read_text(value, default)
    if default is None or type(value) is type(default):
        return value
    if isinstance(value, bool) or isinstance(default, bool):
        return _WRONG
    if isinstance(default, int) and isinstance(value, Integral):
        return int(value)
    if isinstance(default, float) and isinstance(value, Real):
        return float(value)
    return _WRONG


def _read_text(text: str, default: object) -> object:
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text.lower(), _WRONG)
    if isinstance(default, str):
        return text
    if "_" in text or not text.isascii():  # which Python takes for numbers, too
        return text if default is None else _WRONG
    kinds = (
        (int,) if isinstance(default, int) else (float,) if isinstance(default, float) else (int, float, str)
    )
    for kind in kinds:
        try:
            return kind(text)
        except ValueError:
            continue
    return _WRONG
