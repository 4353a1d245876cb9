"""A component together with the settings with which it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from ..errors import XaiboardError
from ..toolkit.labels import join_settings
from ..toolkit.per_side import resolve
from .kinds import Component, Method
from .registry import methods
from .signature import OF_CLASS

C = TypeVar("C", bound=Component)


@dataclass(frozen=True)
class Choice(Generic[C]):
    """A component together with the settings with which it runs.

    Args:
        component: the component.
        settings: the value of each setting.
        shape: of one input, if settings that depend on the size of the images are numbers for it (:meth:`at`).
        unread: what is not computed for a metric, since no column that is asked for is made of it.
    """

    component: C
    settings: Mapping[str, object]
    shape: Sequence[int] | None = None
    unread: frozenset[str] = frozenset()

    def at(self, shape: Sequence[int]) -> Choice[C]:
        """The same, with those defaults that depend on the size of the images as numbers for inputs of ``shape``."""
        values = {name: resolve(value, shape, self.settings) for name, value in self.settings.items()}
        return replace(self, settings=MappingProxyType(values), shape=shape)

    @property
    def wider(self) -> list[Choice[C]]:
        """The same with more columns, up to all; those with the fewest more first.

        Their scores in the columns that this one has are the same.
        """
        left = sorted(self.unread)
        fewer = (each for size in reversed(range(len(left))) for each in combinations(left, size))
        return [replace(self, unread=frozenset(each)) for each in fewer]

    def beside(self, other: Choice[C]) -> Choice[C]:
        """The same with the columns of another choice of the same name, too."""
        return replace(self, unread=self.unread & other.unread)

    @property
    def label(self) -> str:
        """The name with the settings that differ from their defaults: ``deletion[steps=64]``."""
        declared = self.component.settings
        changed = {
            name: value
            for name, value in self.settings.items()
            if not declared[name].is_default(value, self.shape, self.settings)
        }
        return self.component.name + (f"[{join_settings(changed)}]" if changed else "")

    @property
    def named_settings(self) -> Mapping[str, object]:
        """The settings that stand in names and identities: all but those that were added later and have their default.

        The keys of records that are older than a setting are thus the same with it. Where the default depends on the
        size of the images, it is that for 28 pixels that is left out, which all older records have.
        """
        declared = self.component.settings
        return {
            name: value
            for name, value in self.settings.items()
            if not declared[name].added_later or value != declared[name].default
        }

    @property
    def settings_text(self) -> str:
        """Text of all settings that have a place in names: ``baseline=mean,steps=28``."""
        return join_settings(self.named_settings)

    @property
    def base(self) -> Choice[Any] | None:
        """The method, with default settings, whose attribution this method changes or this metric compares with.

        Its name is the setting ``of`` of a method, and ``other`` of a metric. None if there is no such method.

        Raises:
            XaiboardError: no method of that name.
        """
        if isinstance(self.component, Method) and self.component.needs("attribution"):
            return self._beside(str(self.settings["of"]))
        if self.component.needs("other_attribution"):
            return self._beside(str(self.settings["other"]))
        return None

    def _beside(self, method: str) -> Choice[Method]:
        """A method with default settings, on the same inputs."""
        other = choose(methods[method])
        return other if self.shape is None else other.at(self.shape)

    @property
    def root(self) -> Choice[Any]:
        """The method at the end of the chain of bases; the method itself if it has no base."""
        return self if self.base is None else self.base.root

    @property
    def identity(self) -> dict[str, object]:
        """What could change a score: name, version and settings, with those of the base; and which columns there are.

        What is computed on request alone is named where it is, so that keys of records without it stay what they are.
        """
        own: dict[str, object] = {
            "name": self.component.name,
            "version": self.component.revision,
            "settings": dict(self.named_settings),
        }
        on_request = self.component.on_request
        if left_out := sorted(self.unread - on_request):
            own["unread"] = left_out
        if further := sorted(on_request - self.unread):
            own["read"] = further
        return own if self.base is None else {**own, "base": self.base.identity}

    def needs(self, name: str) -> bool:
        """Whether the component, or its base, asks for ``name`` of the vocabulary."""
        asks = self.component.needs(name) or (name == "reference" and self._compares_classes)
        return asks or (self.base is not None and self.base.needs(name))

    @property
    def _compares_classes(self) -> bool:
        """Whether background images are explained for the component."""
        return self.component.needs(OF_CLASS) and OF_CLASS not in self.unread

    @property
    def asks_for_reference(self) -> bool:
        """Whether the component, with its settings, or its base uses the statistics of the training split."""
        own = self.component.needs("reference") and self.asks_for("reference", otherwise=True)
        return own or self._compares_classes or (self.base is not None and self.base.asks_for_reference)

    def asks_for(self, what: str, *, otherwise: bool = False) -> bool:
        """Whether a setting has a value with which the component asks for something.

        The arguments are those of :meth:`~.kinds.Component.asks_for`.
        """
        return self.component.asks_for(what, self.settings, otherwise=otherwise)

    def reason_against(self, model: Any) -> str | None:  # noqa: ANN401 - torch is not imported here
        """Why the method, or the base of the method or metric, does not apply to ``model``; or None."""
        applies = self.component.applies if isinstance(self.component, Method) else None
        own = applies(model) if applies else None
        return own or (self.base and self.base.reason_against(model))

    def reason_on(self, model: Any, x: Any, target: Any) -> str:  # noqa: ANN401 - torch is not imported here
        """Why the method, or its base, would be wrong on ``model`` by its own check on one input; empty if it is right.

        An error that is not the user's is no reason: computing the attribution raises it again.
        """
        verify = self.component.verify if isinstance(self.component, Method) else None
        try:
            own = verify(model, x, target, self.settings) if verify else None
        except XaiboardError as error:
            own = str(error)
        except Exception:
            own = None
        return own or (self.base.reason_on(model, x, target) if self.base else "")

    @property
    def other_model(self) -> str:
        """Name of the model in the setting ``other`` of a perturbation; empty for the judged model itself."""
        return str(self.settings["other"]) if self.component.needs("other_model") else ""


def choose(component: C, given: Mapping[str, object] | None = None) -> Choice[C]:
    """``component`` with ``given`` settings, the others at their defaults; of a metric, what suites ask for.

    Raises:
        XaiboardError: the component has no such setting, or a value is of the wrong type or out of its range.
    """
    settings = {name: setting.default for name, setting in component.settings.items()}
    for name, value in (given or {}).items():
        if name not in settings:
            has = f"it has: {', '.join(settings)}" if settings else "it has no settings"
            raise XaiboardError(f"'{component.name}' has no setting '{name}'; {has}")
        settings[name] = component.settings[name].parse(component.name, value)
    return Choice(component, MappingProxyType(settings), unread=component.on_request)
