"""What a component's function asks for: positional parameters of a closed vocabulary, and keyword-only settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from ..errors import XaiboardError
from ..toolkit.labels import setting_text

INPUT = ("model", "x", "target", "label", "logits", "mask", "rng", "reference")
"""Names that do not depend on the attribution method."""


VOCABULARY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dataset": ("split", "path"),
        "model": ("shape", "classes"),
        "method": ("model", "x", "target", "rng", "reference", "attribution"),
        "perturbation": (*INPUT, "attribution", "explain", "method", "other_model"),
        "metric": (
            *INPUT,
            "attribution",
            "explain",
            "other_attribution",
            "perturbed_x",
            "perturbed_logits",
            "perturbed_attribution",
            "certificate",
            "lipschitz",
        ),
        "shared value": INPUT,
    }
)
"""The closed list of positional parameters of each kind of component."""


OF_ALL = ("target", "label", "logits")
"""What a metric that sees all samples at once may ask for, beside its shared values: a few numbers a sample."""


_TUNING = {"perturbations_per_eval", "internal_batch_size", "show_progress", "return_convergence_delta"}
"""Settings of captum's ``attribute`` that change its cost or its return type, not the attribution."""


@dataclass(frozen=True)
class Setting:
    """A keyword-only parameter of a component: its default and, for ``Literal``, its choices."""

    name: str
    default: object
    choices: tuple[object, ...] = ()
    range: str = ""
    meaning: str = ""

    def parse(self, owner: str, value: object) -> object:
        """The value in this setting's type, from a typed value or the text of a selection pattern.

        Raises:
            XaiboardError: the value is not of the default's type, or not among the choices.
        """
        parsed = _read(value, self.default)
        if parsed is _WRONG or (self.choices and parsed not in self.choices):
            wanted = (
                "one of " + ", ".join(map(str, self.choices))
                if self.choices
                else f"{type(self.default).__name__}, as in {self.name}={setting_text(self.default)}"
            )
            raise XaiboardError(f"setting '{self.name}' of '{owner}' must be {wanted}; got '{value}'")
        return parsed


_WRONG = object()


def _read(value: object, default: object) -> object:
    """``value`` in the type of ``default``, or ``_WRONG``; a default of None takes a number or a word."""
    if not isinstance(value, str):
        if isinstance(default, float) and type(value) is int:
            return float(value)
        return value if default is None or type(value) is type(default) else _WRONG
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(value.lower(), _WRONG)
    if isinstance(default, str):
        return value
    kinds = (
        (int,) if isinstance(default, int) else (float,) if isinstance(default, float) else (int, float, str)
    )
    for kind in kinds:
        try:
            return kind(value)
        except ValueError:
            continue
    return _WRONG


def read_signature(
    kind: str, name: str, function: Callable[..., Any], shared: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], dict[str, Setting]]:
    """Supplied names and settings of a component's function.

    Raises:
        XaiboardError: a positional parameter outside the vocabulary, ``*args``, ``**kwargs``, or a setting
            without a default.
    """
    if inspect.isclass(function):
        return _read_captum(kind, name, function)
    supplied, settings = [], {}
    for parameter in _parameters(function):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise XaiboardError(f"{kind} '{name}' takes '{parameter}'; name each parameter that it needs")
        if parameter.kind is parameter.KEYWORD_ONLY:
            settings[parameter.name] = _setting(kind, name, parameter)
        elif parameter.name in VOCABULARY[kind] or parameter.name in shared:
            supplied.append(parameter.name)
        else:
            known = ", ".join((*VOCABULARY[kind], *shared))
            raise XaiboardError(
                f"{kind} '{name}' asks for '{parameter.name}', which the suite does not supply; it supplies: {known}"
                " (settings go after a '*', with a default)"
            )
    return tuple(supplied), settings


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except NameError:  # an annotation that exists for type checkers only
        signature = inspect.signature(function)
    return list(signature.parameters.values())


def _setting(kind: str, name: str, parameter: inspect.Parameter) -> Setting:
    if parameter.default is parameter.empty:
        raise XaiboardError(f"{kind} '{name}': setting '{parameter.name}' needs a default")
    plain = parameter.default is None or isinstance(parameter.default, (bool, int, float, str))
    if not plain or (isinstance(parameter.default, str) and set(parameter.default) & set(",=[]")):
        raise XaiboardError(
            f"{kind} '{name}': the default of setting '{parameter.name}' must be a number, a bool, None, or a word"
            f" without ',', '=' and brackets, since settings are part of a name; got {parameter.default!r}"
        )
    literal = get_origin(parameter.annotation) is Literal
    return Setting(parameter.name, parameter.default, get_args(parameter.annotation) if literal else ())


def _read_captum(kind: str, name: str, function: type) -> tuple[tuple[str, ...], dict[str, Setting]]:
    if kind != "method" or not hasattr(function, "attribute"):
        raise XaiboardError(
            f"{kind} '{name}' is a class; give a function, or a captum class with 'attribute'"
        )
    settings = {
        parameter.name: Setting(parameter.name, parameter.default)
        for parameter in _parameters(function.attribute)
        if isinstance(parameter.default, (bool, int, float, str)) and parameter.name not in _TUNING
    }
    return ("model", "x", "target"), settings
