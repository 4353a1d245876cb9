"""Attribution classes and objects of captum as methods; an object with its settings, on the network at hand."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Annotated, Any

from ..errors import XaiboardError
from ..toolkit.ranges import AddedLater

_TUNING = {"perturbations_per_eval", "internal_batch_size", "show_progress", "return_convergence_delta"}
"""Parameters of captum's ``attribute`` that change its cost or its return type, but not the attribution."""

_NETWORK = ("forward_func", "model")
"""What captum calls the network that an object is made of."""


def settings_of(made: type) -> Mapping[str, Any]:
    """Settings of an attribution class with their defaults: plain parameters of its ``attribute``.

    Raises:
        XaiboardError: it has a parameter without a default that the suite does not supply.
    """
    parameters = list(inspect.signature(made.attribute).parameters.values())[2:]  # pyright: ignore[reportAttributeAccessIssue]
    if missing := [each.name for each in _required(parameters) if each.name != "target"]:
        raise XaiboardError(
            f"captum's {made.__name__} needs '{missing[0]}', which the suite does not supply; give a function in its"
            f" place: def name(model, x, target): return captum.attr.{made.__name__}(model).attribute(x, target=target,"
            f" {missing[0]}=...)"
        )
    return {
        each.name: each.default
        for each in parameters
        if isinstance(each.default, (bool, int, float, str)) and each.name not in _TUNING
    }


def require_network_alone(made: type) -> None:
    """Checks that objects of an attribution class are made of the network and nothing else.

    Raises:
        XaiboardError: they are not.
    """
    needed = [each.name for each in _required(list(inspect.signature(made).parameters.values()))]
    if other := next((name for name in needed if name not in _NETWORK), None):
        raise XaiboardError(
            f"captum's {made.__name__} is made of '{other}', which the suite does not supply; make an object of it, and"
            " give that"
        )


def _required(parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [each for each in parameters if each.default is each.empty and each.kind in named]


def is_captum_object(given: object) -> bool:
    """Whether it is made of a class such as ``captum.attr.IntegratedGradients``; the class itself is not."""
    return (
        not isinstance(given, type)
        and callable(getattr(given, "attribute", None))
        and _network(given) is not None
    )


def as_method(made: Any) -> tuple[Callable[..., Any], str]:  # noqa: ANN401 - captum is not imported here
    """A function of model, input and target that does what the object does, and a digest of its settings.

    Raises:
        XaiboardError: the object explains a function of its own in place of a network, or it needs what the suite does
            not supply.
    """
    if not hasattr(_network(made), "named_modules"):
        raise XaiboardError(
            f"captum's {type(made).__name__} was made of a function, and networks are explained; make it of the network"
        )

    def attribute(model: Any, x: Any, target: Any, **settings: Any) -> Any:  # noqa: ANN401
        return _on(model, made).attribute(x, target=target, **settings)

    attribute.__doc__ = f"captum's {type(made).__name__}."
    supplied = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in ("model", "x", "target")
    ]
    attribute.__signature__ = inspect.Signature([*supplied, *_as_parameters(settings_of(type(made)))])  # pyright: ignore[reportFunctionMemberAccess]
    for inner in filter(is_captum_object, vars(made).values()):
        settings_of(type(inner))  # is called with its defaults
    return attribute, sha256(repr(_settings(made)).encode()).hexdigest()[:12]


def _as_parameters(settings: Mapping[str, Any]) -> list[inspect.Parameter]:
    # records of objects had no settings once: at their defaults these are no part of a name
    kind, annotation = inspect.Parameter.KEYWORD_ONLY, Annotated[Any, AddedLater()]
    return [
        inspect.Parameter(name, kind, default=value, annotation=annotation)
        for name, value in settings.items()
    ]


def _network(made: Any) -> Any:  # noqa: ANN401
    return next(filter(None, (getattr(made, name, None) for name in _NETWORK)), None)


def _on(model: Any, made: Any) -> Any:  # noqa: ANN401
    """A copy of the object that explains ``model``, with its layer and the objects inside it on that model too."""
    original, moved = _network(made), copy.copy(made)
    names = {layer: name for name, layer in original.named_modules()}
    for key, value in vars(made).items():
        if value is original:
            setattr(moved, key, model)
        elif is_captum_object(value):
            setattr(moved, key, _on(model, value))
        elif _is_layer(value) and value in names:
            setattr(moved, key, _layer(model, names[value], made))
    return moved


def _layer(model: Any, name: str, made: object) -> Any:  # noqa: ANN401
    try:
        return model.get_submodule(name)
    except AttributeError:
        raise XaiboardError(
            f"captum's {type(made).__name__} was made for a layer '{name}', which the model does not have; leave it out"
        ) from None


def _is_layer(value: object) -> bool:
    return hasattr(value, "named_modules")


def _settings(made: Any) -> object:  # noqa: ANN401
    """What tells the object from others of its class, as text that is the same in every process."""
    original = _network(made)
    names = {layer: name for name, layer in original.named_modules()}

    def plain(value: Any) -> object:  # noqa: ANN401
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if is_captum_object(value):
            return _settings(value)
        if _is_layer(value):
            return names.get(value, "")
        return getattr(value, "__qualname__", type(value).__qualname__)

    kept: Mapping[str, Any] = {key: value for key, value in vars(made).items() if value is not original}
    return type(made).__qualname__, sorted((key, plain(value)) for key, value in kept.items())
