"""A component with the settings it runs with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from ..errors import XaiboardError
from ..toolkit.labels import join_settings
from .kinds import Component, Method
from .registry import methods

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
        return self.component.name + (f"[{join_settings(changed)}]" if changed else "")

    @property
    def settings_text(self) -> str:
        """Every setting: ``baseline=mean,steps=28``."""
        return join_settings(self.settings)

    @property
    def base(self) -> Choice[Any] | None:
        """The method whose attribution this one changes (its setting ``of``) or compares with (``other``).

        It has its default settings.

        Raises:
            XaiboardError: no method of that name.
        """
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
