"""The kinds of components: each is a plain function, the values that it is supplied with, and its settings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..errors import XaiboardError
from ..toolkit.arguments import shown
from ..toolkit.score_ranges import ScoreRange
from .setting import Setting

if TYPE_CHECKING:
    from ..toolkit.preprocessing import Preprocessing

TENSORS = {
    "x", "target", "label", "logits", "mask", "attribution", "other_attribution", "perturbed_x", "perturbed_logits",
    "perturbed_attribution", "class_attributions", "certificate", "lipschitz",
}  # fmt: skip
"""The names of the vocabulary that stand for tensors."""


@dataclass(frozen=True)
class Component:
    """A registered function, which can be called with keywords.

    Args:
        name: name in tables.
        function: the function.
        source: paper and equation.
        version: raised by hand when the component changes its meaning.
        supplied: names of the vocabulary that the function asks for.
        settings: its keyword-only parameters; a parameter that takes a group stands for the group's fields.
        groups: the defaults of the parameters that take a group of settings, each a frozen dataclass.
        code: digest of the function's code, if the function was passed as an object and thus has no version.
        roles: what it stands for in the report, by which sections find it (:mod:`xaiboard.benchmark.toolkit.roles`).
        images: whether it makes sense for images only: neighbours in a vector mean nothing.
    """

    name: str
    function: Callable[..., Any]
    source: str = ""
    version: int = 1
    supplied: tuple[str, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    groups: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    roles: tuple[str, ...] = ()
    images: bool = False

    def __call__(self, *unnamed: Any, **given: Any) -> Any:  # noqa: ANN401
        """What the function returns; settings that are not given have their defaults.

        Raises:
            XaiboardError: a value without its name, that is missing, unknown or no tensor; or a setting of the wrong
                type, or out of its range.
        """
        self._require(unnamed, given, {*self.supplied, *self.settings})
        settings = {
            name: setting.parse(self.name, given.pop(name))
            for name, setting in self.settings.items()
            if name in given
        }
        return self.compute(given, settings)

    def _require(self, unnamed: Sequence[Any], given: Mapping[str, Any], known: Collection[str]) -> None:
        wanted = ", ".join((*self.supplied, *self.settings))
        if unnamed:
            raise XaiboardError(f"'{self.name}' takes values by name; it has: {wanted}")
        if unwanted := set(given) - set(known):
            raise XaiboardError(f"'{self.name}' has no parameter '{min(unwanted)}'; it has: {wanted}")
        if missing := self._without_default - set(given):
            raise XaiboardError(f"'{self.name}' needs '{min(missing)}'; it has: {wanted}")
        for name in (TENSORS & set(given)) - set(self.settings):
            if given[name] is not None and not hasattr(given[name], "detach"):
                raise XaiboardError(
                    f"'{name}' of '{self.name}' must be a torch.Tensor; got {shown(given[name])}"
                )

    @property
    def _without_default(self) -> set[str]:
        """Names that the caller must supply."""
        if inspect.isclass(self.function):
            return set(self.supplied)
        parameters = inspect.signature(self.function).parameters
        required = {name for name in self.supplied if parameters[name].default is inspect.Parameter.empty}
        return required - {"rng", "reference"}

    def compute(self, given: Mapping[str, Any], settings: Mapping[str, object]) -> Any:  # noqa: ANN401
        """What the function returns for supplied values and settings by name."""
        return self.function(**given, **self._grouped(settings))

    def _grouped(self, settings: Mapping[str, object]) -> dict[str, Any]:
        """Settings by the function's parameters: those of a group are put into one instance of it."""
        alone = dict(settings)
        groups = {}
        for name, default in self.groups.items():
            own = [each.name for each in fields(default) if each.name in alone]
            groups[name] = replace(default, **{each: alone.pop(each) for each in own})
        return {**alone, **groups}

    def needs(self, name: str) -> bool:
        """Whether the function asks for ``name`` of the vocabulary."""
        return name in self.supplied

    def asks_for(self, what: str, settings: Mapping[str, object], *, otherwise: bool = False) -> bool:
        """Whether some of the settings have a value with which the component asks for something.

        Args:
            what: as an :class:`~..toolkit.ranges.AsksFor` in the annotation of a setting names it.
            settings: the value of each setting.
            otherwise: what holds if no setting of the component has such an annotation.
        """
        declared = {name: each.asks[what] for name, each in self.settings.items() if what in each.asks}
        return any(settings[name] in values for name, values in declared.items()) if declared else otherwise

    @property
    def on_request(self) -> frozenset[str]:
        """What the function gets only where it is asked for by name; see :class:`Column`."""
        return frozenset()

    @property
    def revision(self) -> str:
        """The version, with the digest of the code if there is one."""
        return f"{self.version}.{self.code}" if self.code else str(self.version)

    @property
    def built_in(self) -> bool:
        """Whether the function is this package's own; all others are the user's, captum's among them."""
        return str(getattr(self.function, "__module__", "")).startswith("xaiboard.")

    @property
    def folder(self) -> Path:
        """The folder of the file that defines the function; the current folder for a notebook."""
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
    """Images with labels: ``function(split)`` gives a :class:`~xaiboard.benchmark.toolkit.data.Data`."""

    remote: bool = False


@dataclass(frozen=True)
class Model(Component):
    """A trained network: ``function(shape, classes)`` builds it, and ``weights`` are loaded into it."""

    family: str = "standard"
    dataset: str | None = None
    weights: str | None = None
    lipschitz: float | None = None
    recipe: Callable[..., Any] | None = None

    def build(self, shape: tuple[int, ...], classes: int) -> Any:  # noqa: ANN401 - torch is not imported here
        """The network before its weights are loaded, for inputs ``shape`` (C, H, W) and ``classes`` logits."""
        given = {"shape": shape, "classes": classes}
        return self.function(**{name: given[name] for name in self.supplied})

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How the network wants its images, where that is known before it is built."""
        return None


@dataclass(frozen=True)
class Method(Component):
    """An attribution method: gives signed values shaped like the input, ``(B, C, H, W)`` or ``(B, F)``."""

    control: bool = False
    applies: Callable[[Any], str | None] | None = None
    verify: Callable[..., str | None] | None = None

    def compute(self, given: Mapping[str, Any], settings: Mapping[str, object]) -> Any:  # noqa: ANN401
        """The attribution; of a captum class, an object is made for the model and its ``attribute`` is called.

        Raises:
            XaiboardError: the method is not applicable to the model.
        """
        if self.applies and "model" in given and (reason := self.applies(given["model"])):
            raise XaiboardError(f"'{self.name}' does not apply: {reason}")
        if inspect.isclass(self.function):
            captum_class: Any = self.function
            return captum_class(given["model"]).attribute(given["x"], target=given["target"], **settings)
        return super().compute(_with_rng("method", self, given), settings)


@dataclass(frozen=True)
class Perturbation(Component):
    """A perturbation: gives a changed input, shaped like ``x``, in ``[0, 1]``."""

    applies: Callable[[str, Mapping[str, Any]], str | None] | None = None

    def compute(self, given: Mapping[str, Any], settings: Mapping[str, object]) -> Any:  # noqa: ANN401
        """The changed input."""
        return super().compute(_with_rng("perturbation", self, given), settings)


class Weighted(NamedTuple):
    """A column whose mean over samples is weighted, ``sum(score * weight) / sum(weight)``; both are ``(B,)``."""

    score: Any
    weight: Any


@dataclass(frozen=True)
class Column:
    """How the values of a metric's column compare.

    Args:
        higher_is_better: direction; None if the column is no score (a chance level, a count), so that it is not ranked.
        across_models: whether values of different models may be compared.
        range: the smallest and the largest value that a sample may have under any settings, with ``-inf`` or ``inf``
            where there is no bound; None if it is not known. Of a weighted column, that of the values.
        reads: names of shared values that the column is made of, and the plain score is not, or
            ``class_attributions``. They are computed only where such a column is asked for. Where none is, the metric
            gets None for the value, and leaves these columns out. A suite that names a metric without a column asks for
            those that are made of shared values, but not for those made of ``class_attributions``, which is younger
            than published records.
    """

    higher_is_better: bool | None = None
    across_models: bool = False
    range: ScoreRange | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric(Component):
    """A metric: gives one score per sample, ``(B,)``, or a mapping of named columns of such scores."""

    family: str = ""
    higher_is_better: bool | None = None
    across_models: bool = False
    range: ScoreRange | None = None
    whole: bool = False
    library: str = ""
    columns: Mapping[str, Column] = field(default_factory=dict)
    shared: Mapping[str, Component] = field(default_factory=dict)

    def column(self, name: str) -> Column:
        """How the values of the column ``name`` compare; the name of the plain score is empty."""
        if not name:
            return Column(self.higher_is_better, self.across_models, self.range)
        return self.columns.get(name, Column())

    @property
    def on_request(self) -> frozenset[str]:
        """What named columns alone are made of, and no suite that names the metric without a column asks for."""
        return frozenset(self._further - set(self.shared))

    @property
    def _further(self) -> set[str]:
        """What is computed for named columns alone."""
        return {value for column in self.columns.values() for value in column.reads}

    def unread(self, columns: Collection[str]) -> frozenset[str]:
        """What is computed for other columns than these alone, by name."""
        return frozenset(self._further.difference(*(self.columns[name].reads for name in columns)))

    def columns_without(self, unread: Collection[str]) -> list[str]:
        """The named columns that are not made of the values ``unread``."""
        return [name for name, column in self.columns.items() if not set(unread).intersection(column.reads)]

    def needs(self, name: str) -> bool:
        """Whether the metric, or one of its shared values, asks for ``name`` of the vocabulary."""
        return name in self.supplied or any(name in value.supplied for value in self.shared.values())

    @property
    def _without_default(self) -> set[str]:
        """Names that the caller must supply; shared values are computed where they are missing."""
        return super()._without_default - set(self.shared)

    def __call__(self, *unnamed: Any, **given: Any) -> Any:  # noqa: ANN401
        """The scores. Shared values and random numbers that are not given are computed here, with seed 0.

        Raises:
            XaiboardError: a value without its name, that is missing, unknown or no tensor; or a setting of the wrong
                type, or out of its range.
        """
        of_shared = {name for value in self.shared.values() for name in value.supplied}
        self._require(unnamed, given, {*self.supplied, *self.settings, *of_shared})
        if self.needs("rng"):
            given.setdefault("rng", _default_rng(f"metric/{self.name}", given))
        if self.needs("reference"):
            given.setdefault("reference", None)
        settings = {
            name: setting.parse(self.name, given.get(name, setting.default))
            for name, setting in self.settings.items()
        }
        for name, value in self.shared.items():
            if not self.asks_for(name, settings, otherwise=True):
                given.setdefault(name, None)
            if name not in given:
                known = {**given, **settings, "rng": _default_rng(f"shared value/{name}", given)}
                value._require((), known, known)
                given[name] = value(**{key: known[key] for key in (*value.supplied, *value.settings)})
        chosen = {name: value for name, value in settings.items() if name in given}
        return self.compute({name: given[name] for name in self.supplied if name in given}, chosen)


def _with_rng(kind: str, component: Component, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """``given``, with random numbers of seed 0 if the component asks for them and none are given."""
    if not component.needs("rng") or "rng" in given:
        return given
    return {**given, "rng": _default_rng(f"{kind}/{component.name}", given)}


def _default_rng(purpose: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - torch is not imported here
    from ..toolkit.rng import SampleRng

    first = next((given[name] for name in ("x", "attribution", "label") if name in given), ())
    return SampleRng(0, range(len(first)), purpose)


C = TypeVar("C", bound=Component)
