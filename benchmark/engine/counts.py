"""Counted passes, and those that earlier commands counted for the same components and images of the same size."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import torch

from ..components.choice import Choice
from ..toolkit.data import Data
from ..toolkit.sources import sources_digest
from ..toolkit.user_cache import Notes
from .conditions import Conditions
from .costs import Cost
from .memo import Key

ANY = "*"
"""How the label of a method begins that stands for all: no name of a method has it."""


@dataclass(frozen=True)
class Counted:
    """What a computation needs for one sample.

    Args:
        own: passes, without those of kept values.
        kept: the kept values that it uses, each with its own passes.
    """

    own: Cost
    kept: Mapping[Key, Cost] = field(default_factory=dict)

    def explained_by(self, label: str, method: Counted) -> Counted:
        """The same with the passes of a method in place of explanations, and with what that method uses.

        Args:
            label: of the method.
            method: what one explanation needs.
        """

        def priced(cost: Cost) -> Cost:
            passes = method.own * cost.explained
            return Cost(forward=cost.forward + passes.forward, backward=cost.backward + passes.backward)

        explains = any(cost.explained for cost in (self.own, *self.kept.values()))
        kept = {
            tuple(label if part.startswith(ANY) else part for part in key): priced(cost)
            for key, cost in self.kept.items()
        }
        return Counted(priced(self.own), {**(method.kept if explains else {}), **kept})


class KeptCounts:
    """Counts of built-in components, which are kept in the user's cache; all others are counted each time.

    Args:
        data: of the run: the size of its images and the number of its classes count.
        conditions: of the run.
    """

    def __init__(self, data: Data, conditions: Conditions) -> None:
        self._notes = Notes("passes", f"torch {torch.__version__}, captum {version('captum')}")
        self._common = [list(data.shape), len(data.classes), data.mask is not None, conditions.target]

    def get(self, choices: Sequence[Choice], further: Sequence[object]) -> Counted | None:
        """What components with their settings need, if it was counted before; ``further`` is what it depends on."""
        name = self._name(choices, further)
        return _read(self._notes.get(name)) if name else None

    def note(self, choices: Sequence[Choice], further: Sequence[object], counted: Counted) -> None:
        """Notes what was counted."""
        if name := self._name(choices, further):
            kept = [[list(key), *_numbers(cost)] for key, cost in counted.kept.items()]
            self._notes.note(name, [*_numbers(counted.own), kept])

    def write(self) -> None:
        """Keeps what was noted."""
        self._notes.write()

    def _name(self, choices: Sequence[Choice], further: Sequence[object]) -> str:
        """The name of a note; empty for components that are not built in, whose code may change."""
        if not all(choice.component.built_in and choice.root.component.built_in for choice in choices):
            return ""
        code = sources_digest({choice.component.folder for choice in choices})[:16]
        identities = [choice.identity for choice in choices]
        return json.dumps([code, identities, *further, *self._common], default=str)


def _numbers(cost: Cost) -> list[float]:
    return [cost.forward, cost.backward, cost.explained]


def _read(noted: Any) -> Counted | None:  # noqa: ANN401 - whatever the file holds
    """The inverse of a note; None if it is none."""
    try:
        *own, kept = noted
        costs = {tuple(map(str, key)): _cost(numbers) for key, *numbers in kept}
        return Counted(_cost(own), costs)
    except (TypeError, ValueError):
        return None


def _cost(numbers: Sequence[float]) -> Cost:
    forward, backward, explained = map(float, numbers)
    return Cost(forward=forward, backward=backward, explained=explained)
