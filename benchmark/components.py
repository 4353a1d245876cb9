"""What a component is: a plain function, the names it is supplied with, and its settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, Literal, NamedTuple, TypeVar, get_args, get_origin

from .errors import XaiboardError

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
                else f"{type(self.default).__name__}, as in {self.name}={_text(self.default)}"
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


def _text(value: object) -> str:
    if isinstance(value, float) and value == float(f"{value:g}"):
        return f"{value:g}"  # the shortest that says it all
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Component:
    """A registered function. Calling it with keywords calls the function.

    Args:
        name: name in tables.
        function: what computes.
        source: paper and equation.
        version: raised by hand when the component changes its meaning.
        supplied: names of the vocabulary that the function asks for.
        settings: its keyword-only parameters.
        code: digest of the code of a function that is passed as an object, and has no version of its own.
    """

    name: str
    function: Callable[..., Any]
    source: str = ""
    version: int = 1
    supplied: tuple[str, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    code: str = ""

    def __call__(self, **given: Any) -> Any:  # noqa: ANN401
        """What the function returns."""
        return self.function(**given)

    def needs(self, name: str) -> bool:
        """Whether the function asks for ``name`` of the vocabulary."""
        return name in self.supplied

    @property
    def revision(self) -> str:
        """The version, and the digest of the code where there is one."""
        return f"{self.version}.{self.code}" if self.code else str(self.version)

    @property
    def folder(self) -> Path:
        """The folder of the file that defines the function (the current one for a notebook)."""
        try:
            return Path(inspect.getfile(self.function)).resolve().parent
        except (OSError, TypeError):
            return Path.cwd()

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


@dataclass(frozen=True)
class Dataset(Component):
    """Images with labels: ``function(split)`` gives a :class:`~xaiboard.benchmark.data.Data`."""

    remote: bool = False


@dataclass(frozen=True)
class Model(Component):
    """A trained network. ``function(shape, classes)`` builds it; ``weights`` are loaded into it."""

    family: str = "standard"
    dataset: str | None = None
    weights: str | None = None
    lipschitz: float | None = None
    recipe: Callable[..., Any] | None = None

    def build(self, shape: tuple[int, ...], classes: int) -> Any:  # noqa: ANN401 - torch is not imported here
        """The network before its weights are loaded, for inputs ``shape`` (C, H, W) and ``classes`` logits."""
        given = {"shape": shape, "classes": classes}
        return self.function(**{name: given[name] for name in self.supplied})


@dataclass(frozen=True)
class Method(Component):
    """An attribution method: ``(B, C, H, W)`` or ``(B, F)``, signed."""

    control: bool = False
    applies: Callable[[Any], str | None] | None = None

    def __call__(self, **given: Any) -> Any:  # noqa: ANN401
        """The attribution; a captum class is made for the model and asked for its ``attribute``.

        Raises:
            XaiboardError: the method is not applicable to the model.
        """
        if self.applies and "model" in given and (reason := self.applies(given["model"])):
            raise XaiboardError(f"'{self.name}' does not apply: {reason}")
        if inspect.isclass(self.function):
            model, x, target = given.pop("model"), given.pop("x"), given.pop("target")
            captum_class: Any = self.function
            return captum_class(model).attribute(x, target=target, **given)
        return self.function(**_with_rng("method", self, given))


@dataclass(frozen=True)
class Perturbation(Component):
    """A changed input: same shape as ``x``, in ``[0, 1]``."""

    applies: Callable[[str, Mapping[str, Any]], str | None] | None = None

    def __call__(self, **given: Any) -> Any:  # noqa: ANN401
        """The changed input."""
        return self.function(**_with_rng("perturbation", self, given))


class Weighted(NamedTuple):
    """A column whose mean over samples is ``sum(score * weight) / sum(weight)``; both ``(B,)``."""

    score: Any
    weight: Any


@dataclass(frozen=True)
class Column:
    """How a column of a metric reads.

    Args:
        higher_is_better: None for a column that is no score (a chance level, a count): it gets no rank.
        across_models: whether values of different models may be compared.
    """

    higher_is_better: bool | None = None
    across_models: bool = False


@dataclass(frozen=True)
class Metric(Component):
    """One score per sample, ``(B,)``, or a mapping of named columns of them."""

    family: str = ""
    higher_is_better: bool | None = None
    across_models: bool = False
    whole: bool = False
    library: str = ""
    columns: Mapping[str, Column] = field(default_factory=dict)
    shared: Mapping[str, Component] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """How the column ``name`` reads; the plain score's name is empty."""
        if not name:
            return Column(self.higher_is_better, self.across_models)
        return self.columns.get(name, Column())

    def needs(self, name: str) -> bool:
        """Whether the metric, or a value that it shares, asks for ``name``."""
        return name in self.supplied or any(name in value.supplied for value in self.shared.values())

    def __call__(self, **given: Any) -> Any:  # noqa: ANN401
        """The scores; shared values and random numbers that are not given are made here, with seed 0."""
        if self.needs("rng"):
            given.setdefault("rng", _default_rng(f"metric/{self.name}", given))
        if self.needs("reference"):
            given.setdefault("reference", None)
        settings = {name: given.get(name, setting.default) for name, setting in self.settings.items()}
        for name, value in self.shared.items():
            if name not in given:
                known = {**settings, **given, "rng": _default_rng(f"shared value/{name}", given)}
                given[name] = value(**{key: known[key] for key in (*value.supplied, *value.settings)})
        wanted = (*self.supplied, *self.settings)
        unwanted = (
            set(given) - set(wanted) - {name for value in self.shared.values() for name in value.supplied}
        )
        if unwanted:
            raise XaiboardError(
                f"'{self.name}' has no parameter '{min(unwanted)}'; it has: {', '.join(wanted)}"
            )
        return self.function(**{name: value for name, value in given.items() if name in wanted})


def _with_rng(kind: str, component: Component, given: dict[str, Any]) -> dict[str, Any]:
    """``given``, with random numbers of seed 0 where the component asks for them and none are given."""
    if not component.needs("rng") or "rng" in given:
        return given
    return {**given, "rng": _default_rng(f"{kind}/{component.name}", given)}


def _default_rng(purpose: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - torch is not imported here
    from .rng import SampleRng

    first = next((given[name] for name in ("x", "attribution", "label") if name in given), ())
    return SampleRng(0, range(len(first)), purpose)


C = TypeVar("C", bound=Component)


@dataclass(frozen=True)
class Choice(Generic[C]):
    """A component with the settings it runs with."""

    component: C
    settings: Mapping[str, object]

    @property
    def label(self) -> str:
        """The name, with the settings that differ from their defaults: ``deletion[steps=64]``."""
        declared = self.component.settings
        changed = {name: value for name, value in self.settings.items() if value != declared[name].default}
        return self.component.name + (f"[{_join(changed)}]" if changed else "")

    @property
    def settings_text(self) -> str:
        """Every setting: ``baseline=mean,steps=28``."""
        return _join(self.settings)

    @property
    def base(self) -> Choice[Any] | None:
        """The method whose attribution this one changes (its setting ``of``) or compares with (``other``).

        It has its default settings.

        Raises:
            XaiboardError: no method of that name.
        """
        from .registry import methods

        if isinstance(self.component, Method) and self.component.needs("attribution"):
            return choose(methods[str(self.settings["of"])])
        if self.component.needs("other_attribution"):
            return choose(methods[str(self.settings["other"])])
        return None

    @property
    def root(self) -> Choice[Any]:
        """The method that a method's attribution comes from in the end: itself, or the root of its base."""
        return self if self.base is None else self.base.root

    @property
    def identity(self) -> dict[str, object]:
        """Name, version and settings, the base's too: what could change a score."""
        own: dict[str, object] = {
            "name": self.component.name,
            "version": self.component.revision,
            "settings": dict(self.settings),
        }
        return own if self.base is None else {**own, "base": self.base.identity}

    def needs(self, name: str) -> bool:
        """Whether the component, or its base, asks for ``name`` of the vocabulary."""
        return self.component.needs(name) or (self.base is not None and self.base.needs(name))

    def reason_against(self, model: Any) -> str | None:  # noqa: ANN401 - torch is not imported here
        """Why the method, or its base, or the method that a metric compares with, does not apply to ``model``."""
        applies = self.component.applies if isinstance(self.component, Method) else None
        own = applies(model) if applies else None
        return own or (self.base and self.base.reason_against(model))

    @property
    def other_model(self) -> str:
        """The model that the setting ``other`` of a perturbation names; empty for the one that is judged."""
        return str(self.settings["other"]) if self.component.needs("other_model") else ""


def _join(settings: Mapping[str, object]) -> str:
    return ",".join(f"{name}={_text(value)}" for name, value in settings.items())


def choose(component: C, given: Mapping[str, object] | None = None) -> Choice[C]:
    """``component`` with ``given`` settings, the others at their defaults.

    Raises:
        XaiboardError: a setting that the component does not have, or of the wrong type.
    """
    settings = {name: setting.default for name, setting in component.settings.items()}
    for name, value in (given or {}).items():
        if name not in settings:
            has = f"it has: {', '.join(settings)}" if settings else "it has no settings"
            raise XaiboardError(f"'{component.name}' has no setting '{name}'; {has}")
        settings[name] = component.settings[name].parse(component.name, value)
    return Choice(component, MappingProxyType(settings))


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
