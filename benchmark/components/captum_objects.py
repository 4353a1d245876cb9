"""Attribution objects of captum as methods: with the settings they were made with, on the network at hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from ..errors import XaiboardError


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
        XaiboardError: the object explains a function of its own in place of a network.
    """
    if not hasattr(_network(made), "named_modules"):
        raise XaiboardError(
            f"captum's {type(made).__name__} was made of a function, and networks are explained; make it of the network"
        )

    def attribute(model: Any, x: Any, target: Any) -> Any:  # noqa: ANN401
        return _on(model, made).attribute(x, target=target)

    attribute.__doc__ = f"captum's {type(made).__name__}."
    return attribute, sha256(repr(_settings(made)).encode()).hexdigest()[:12]


def _network(made: Any) -> Any:  # noqa: ANN401
    return getattr(made, "forward_func", None) or getattr(made, "model", None)


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
