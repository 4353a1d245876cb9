"""What a component's function asks for: positional parameters of a closed vocabulary, and keyword-only settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from ..errors import XaiboardError
from ..toolkit.ranges import AddedLater, AsksFor, read_range
from .captum_objects import require_network_alone, settings_of
from .docstrings import meanings_of_arguments
from .setting import Setting

INPUT = ("model", "x", "target", "label", "logits", "mask", "rng", "reference")
"""What does not depend on the attribution method."""

OF_CLASS = "class_attributions"
"""What columns may be made of beside shared values, see ``reads`` of :class:`~.kinds.Column`."""


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
            OF_CLASS,
            "certificate",
            "lipschitz",
        ),
        "shared value": INPUT,
        "engine": ("folder",),
    }
)
"""The names that positional parameters of each kind of component may have."""


OF_ALL = ("target", "label", "logits")
"""What a metric of all samples at once may ask for, beside shared values: only a few numbers for each sample."""


class Signature(NamedTuple):
    """The parameters of a component's function.

    Args:
        supplied: names of the vocabulary that it asks for.
        settings: its settings by name, in the order of its keyword-only parameters; a group's fields stand where the
            group does.
        groups: the default of each parameter that takes a group of settings, a frozen dataclass.
    """

    supplied: tuple[str, ...]
    settings: Mapping[str, Setting]
    groups: Mapping[str, Any] = MappingProxyType({})


def read_signature(
    kind: str, name: str, function: Callable[..., Any], shared: tuple[str, ...] = ()
) -> Signature:
    """Supplied names and settings of a component's function.

    Raises:
        XaiboardError: a positional parameter outside the vocabulary, ``*args``, ``**kwargs``, a setting without a
            default, or two parameters of one name.
    """
    if inspect.isclass(function):
        return _read_captum(kind, name, function)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        raise XaiboardError(
            f"{kind} '{name}' has no signature to read; wrap it in a function of your own"
        ) from None
    keywords = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    supplied = tuple(
        _supplied(kind, name, each, shared) for each in parameters if each.kind is not each.KEYWORD_ONLY
    )
    settings: dict[str, Setting] = {}
    for setting in _settings(kind, name, function, keywords):
        if setting.name in (*settings, *supplied):
            raise XaiboardError(
                f"{kind} '{name}' has two parameters named '{setting.name}'; rename one, or the field of its group"
            )
        settings[setting.name] = setting
    groups = {each.name: each.default for each in keywords if is_dataclass(each.default)}
    return Signature(supplied, settings, groups)


def _supplied(kind: str, name: str, parameter: inspect.Parameter, shared: tuple[str, ...]) -> str:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise XaiboardError(f"{kind} '{name}' takes '{parameter}'; name each parameter that it needs")
    if parameter.name not in (*VOCABULARY[kind], *shared):
        known = ", ".join((*VOCABULARY[kind], *shared))
        raise XaiboardError(
            f"{kind} '{name}' asks for '{parameter.name}', which the suite does not supply; it supplies: {known}"
            " (settings go after a '*', with a default)"
        )
    return parameter.name


def _settings(
    kind: str, name: str, function: Callable[..., Any], keywords: list[inspect.Parameter]
) -> list[Setting]:
    """The settings that the keyword-only parameters stand for, in order: a group stands for its fields."""
    written = {each.name: each.annotation for each in keywords}
    scope = getattr(inspect.unwrap(function), "__globals__", {})
    annotations = _evaluated(SimpleNamespace(__annotations__=written), written, scope)
    said = meanings_of_arguments(function)
    found = []
    for parameter in keywords:
        default = parameter.default
        if default is parameter.empty:
            raise XaiboardError(f"{kind} '{name}': setting '{parameter.name}' needs a default")
        if is_dataclass(default) and not isinstance(default, type):
            found += _fields(kind, name, parameter.name, default)
        else:
            annotation = annotations[parameter.name]
            found.append(_setting(kind, name, parameter.name, default, annotation, said))
    return found


def _fields(kind: str, name: str, parameter: str, group: Any) -> list[Setting]:  # noqa: ANN401 - any dataclass
    """The settings of a group, whose defaults are those of the instance ``group``."""
    if not type(group).__dataclass_params__.frozen:
        raise XaiboardError(
            f"{kind} '{name}': the group of settings '{parameter}' must be a frozen dataclass, since its default serves"
            f" every call; write @dataclass(frozen=True) above {type(group).__name__}"
        )
    annotations = _evaluated(type(group), {field.name: field.type for field in fields(group)})
    said = meanings_of_arguments(type(group))
    return [
        _setting(kind, name, field.name, getattr(group, field.name), annotations[field.name], said)
        for field in fields(group)
    ]


def _setting(
    kind: str, name: str, setting: str, default: object, annotation: object, said: Mapping[str, str]
) -> Setting:
    plain = default is None or isinstance(default, (bool, int, float, str))
    if not plain or (isinstance(default, str) and set(default) & set(",=[]")):
        raise XaiboardError(
            f"{kind} '{name}': the default of setting '{setting}' must be a number, a bool, None, or a word"
            f" without ',', '=' and brackets, since settings are part of a name; got {default!r}"
        )
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    choices = get_args(bare) if get_origin(bare) is Literal else ()
    allowed = read_range(annotation)
    allowed.check(name, setting, default)
    later = any(isinstance(each, AddedLater) for each in get_args(annotation))
    asks = {each.what: each.values for each in get_args(annotation) if isinstance(each, AsksFor)}
    return Setting(setting, default, choices, allowed, said.get(setting, ""), later, asks)


def _evaluated(
    annotated: object, written: dict[str, Any], scope: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The annotations of an object, with those that are ``written`` as text evaluated."""
    try:
        return get_type_hints(annotated, globalns=scope, include_extras=True)
    except NameError:  # a name that exists for type checkers only
        return written


def _read_captum(kind: str, name: str, function: type) -> Signature:
    if kind != "method" or not hasattr(function, "attribute"):
        raise XaiboardError(
            f"{kind} '{name}' is a class; give a function, or a captum class with 'attribute'"
        )
    require_network_alone(function)
    settings = {setting: Setting(setting, default) for setting, default in settings_of(function).items()}
    return Signature(("model", "x", "target"), settings)
