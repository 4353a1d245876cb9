"""Arguments of public functions against their annotations: a wrong one is a sentence for the user, not a traceback."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, wraps
from numbers import Integral, Real
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import XaiboardError

P = ParamSpec("P")
R = TypeVar("R")

_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "True or False",
    NoneType: "None",
    Callable: "a function",
    Mapping: "a mapping",
    tuple: "a tuple",
    Sequence: "a list",
    Iterable: "a list",
}
"""What a user calls the values of an annotation; other classes are called by their library's name and their own."""


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which refuses arguments that its annotations do not allow.

    Whole numbers of NumPy and of others are passed on as Python's. An annotation that is not known allows everything.
    """
    signature = inspect.signature(function)
    annotations = cache(lambda: {name: _annotation(function, name) for name in signature.parameters})

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise XaiboardError(_misuse(function, signature, args, str(error))) from None
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if parameter.kind is not parameter.VAR_KEYWORD:
                bound.arguments[name] = _fitted(function.__name__, name, value, annotations()[name])
        return function(*bound.args, **bound.kwargs)

    return call


def _annotation(function: Callable[..., Any], name: str) -> object:
    """The annotation of a parameter; Any where it has a name that exists for type checkers only."""
    written = {name: function.__annotations__.get(name, Any)}
    try:
        return get_type_hints(SimpleNamespace(__annotations__=written), globalns=function.__globals__)[name]
    except NameError:
        return Any


def _misuse(
    function: Callable[..., Any], signature: inspect.Signature, args: tuple[object, ...], error: str
) -> str:
    names = [name for name, each in signature.parameters.items() if each.kind is not each.VAR_KEYWORD]
    only_names = all(each.kind is each.KEYWORD_ONLY for each in signature.parameters.values())
    if only_names and len(args) == 1 and callable(args[0]):
        given = getattr(args[0], "__name__", shown(args[0]))
        return f"@{function.__name__} above '{given}' needs parentheses; write @{function.__name__}()"
    return f"{function.__name__}() {error}; it takes: {', '.join(names)}"


def _fitted(owner: str, name: str, value: object, annotation: object) -> object:
    if not _fits(value, annotation):
        raise XaiboardError(f"'{name}' of {owner}() must be {_words(annotation)}; got {shown(value)}")
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    return value


def _fits(value: object, annotation: object) -> bool:  # noqa: PLR0911 - one line for each kind of annotation
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if annotation is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    if annotation is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if origin is Callable or annotation is Callable:
        return callable(value)
    kind = origin or annotation
    if kind is Any or not isinstance(kind, type):
        return True
    if isinstance(value, (str, bytes)):  # a sequence of letters is meant nowhere
        return kind is type(value)
    return isinstance(value, kind) and _items_fit(value, kind, inner)


def _items_fit(value: Any, kind: type, inner: tuple[Any, ...]) -> bool:  # noqa: ANN401 - any value
    if issubclass(kind, Mapping) and inner:
        return all(_fits(key, inner[0]) and _fits(item, inner[1]) for key, item in value.items())
    if issubclass(kind, Iterable) and inner and inner[0] is not Any:
        return all(_fits(item, inner[0]) for item in value)
    return True


def _words(annotation: Any) -> str:  # noqa: ANN401 - whatever stands in an annotation
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        *most, last = dict.fromkeys(_words(each) for each in inner)
        return f"{', '.join(most)} or {last}" if most else last
    if origin is Literal:
        return " or ".join(map(repr, inner))
    kind = origin or annotation
    words = _WORDS.get(kind) or f"a {kind.__module__.partition('.')[0]} {kind.__name__}"
    if words != _WORDS[Sequence] or not inner or inner[0] is Any:
        return words
    return f"{words} whose items are each {_words(inner[0])}"


def shown(value: object) -> str:
    """A value in a sentence: its text if that is short, and its type where the text does not show it."""
    text = " ".join(repr(value).split())
    plain = isinstance(value, (str, int, float, bool, NoneType, list, tuple, dict))
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if not plain:
        return f"a {kind}"
    return text if len(text) <= 60 else f"{text[:57]}… ({kind})"
