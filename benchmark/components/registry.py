"""The registries: the components of each kind, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from ..errors import XaiboardError, unknown
from .builtin import load_builtins
from .kinds import Component, Dataset, Method, Metric, Model, Perturbation

C = TypeVar("C", bound=Component)


class Registry(Mapping[str, C]):
    """Components of one kind, by name. The first look-up imports the built-in ones."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, C] = {}

    def add(self, entry: C) -> None:
        """Registers ``entry``.

        A function that is defined again, as when a notebook's cell runs twice, replaces its earlier entry.

        Raises:
            XaiboardError: the name is taken by another function.
        """
        if not entry.built_in:
            self._load()  # first, so that the name of a built-in component is known to be taken
        old = self._entries.get(entry.name)
        if old is not None and _origin(old) != _origin(entry):
            raise XaiboardError(
                f"two {self.kind}s named '{entry.name}': {'.'.join(_origin(old))} and {'.'.join(_origin(entry))};"
                " rename one"
            )
        self._entries[entry.name] = entry

    def __getitem__(self, name: str) -> C:
        self._load()
        if not isinstance(name, str) or name not in self._entries:
            raise unknown(self.kind, str(name), self._entries)
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(self._entries)

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    @staticmethod
    def _load() -> None:
        load_builtins()


def _origin(entry: Component) -> tuple[str, str]:
    return entry.function.__module__, entry.function.__qualname__


datasets: Registry[Dataset] = Registry("dataset")
models: Registry[Model] = Registry("model")
methods: Registry[Method] = Registry("method")
metrics: Registry[Metric] = Registry("metric")
perturbations: Registry[Perturbation] = Registry("perturbation")
