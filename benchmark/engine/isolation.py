"""Calls components so that none, whatever it does, changes what others compute; says what each has left behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..components.kinds import Component
from ..errors import XaiboardError, message
from ..toolkit.progress import say
from .batching import is_out_of_memory
from .library_functions import Functions
from .python_state import Threads
from .remembered import GRADIENTS
from .snapshot import Snapshot
from .torch_state import Modes, Settings, own_random_numbers


class Guard:
    """Puts networks and the state of torch back after each call of a component that is not built in.

    Built-in components are tested to leave both alone; the networks are put back where one of them raises.

    Args:
        networks: by how a component would write them: ``model``.
        seed: of the run; random numbers that a component draws from torch, NumPy or Python start from it.
        exercise: sends an input through the networks: what that changes is their own doing.

    Attributes:
        seed: as given.
        left: what each component has left behind, by its kind and name, for the notes of its cells.
        running: the threads that it left running.
        harmless: what else it did that changes nobody's scores, for the contract tests.
        trusts: whether a component is called without being watched; built-in ones are.
    """

    def __init__(self, networks: Mapping[str, nn.Module], seed: int, exercise: Callable[[], object]) -> None:
        self.seed = seed
        self._networks, self._exercise = networks, exercise
        self._forms = Snapshot(networks, values=False)
        self._start: tuple[Snapshot, Functions] | None = None
        self._depth = 0
        self.left: dict[str, list[str]] = {}
        self.running: dict[str, list[str]] = {}
        self.harmless: dict[str, list[str]] = {}
        self.trusts: Callable[[Component], bool] = lambda component: component.built_in

    def call(
        self, kind: str, component: Component, given: Mapping[str, Any], settings: Mapping[str, object]
    ) -> Any:  # noqa: ANN401 - whatever the component returns
        """What a component returns for values of the vocabulary and settings.

        Raises:
            XaiboardError: the component ended the program, or raised what is no ordinary error.
        """
        if self.trusts(component):
            try:
                return component.compute(given, settings)
            except Exception:
                if not self._depth:
                    self._forms.put_back()
                raise
        owner = f"{kind} '{component.name}'"
        with self._watch(owner), self._own_inputs(owner, given), self._own_numbers(owner):
            return component.compute(given, settings)

    def note(self, owners: Collection[str]) -> str:
        """One sentence for what each of some components has left behind; empty if there is nothing."""
        left, running = (
            "; ".join(f"{owner} {', '.join(said[owner])}" for owner in owners if owner in said)
            for said in (self.left, self.running)
        )
        return "; ".join(filter(None, [left and f"{left}: put back for all others", running]))

    @contextmanager
    def _watch(self, owner: str) -> Iterator[None]:
        """Puts everything back as it was, and notes what was changed."""
        modes, settings, threads, (networks, functions) = Modes(), Settings(), Threads(), self._before()
        self._depth += 1
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            if is_out_of_memory(error):
                _add(self.left, owner, "ran out of memory and got smaller batches")
            raise
        except BaseException as error:  # it would end the run, and costs its own cells as any other error
            raise XaiboardError(f"{owner} {_end(error)}") from error
        finally:
            self._depth -= 1
            for name in threads.left():
                _add(self.running, owner, f"left the thread '{name}' running")
            # networks last: they are compared by torch's functions
            for state in (modes, settings, functions, networks):
                changes = state.changes()
                for change in changes:
                    _add(self.harmless if change.startswith(GRADIENTS) else self.left, owner, change)
                if changes:
                    state.put_back()

    def _before(self) -> tuple[Snapshot, Functions]:
        """What must be there after a call.

        What a component changes on purpose while it calls another one, such as a metric that asks for explanations of
        a network whose weights it has drawn anew, is there before the inner call, and must be there after it.
        """
        if self._depth:
            return Snapshot(self._networks), Functions(self._networks)
        if self._start is None:
            networks = Snapshot(self._networks)
            self._exercise()
            networks.overlook()
            self._start = networks, Functions(self._networks)
        return self._start

    @contextmanager
    def _own_inputs(self, owner: str, given: Mapping[str, Any]) -> Iterator[None]:
        """Notes which inputs were changed in place. They are copies, so that this harms nobody."""
        tensors = {name: value for name, value in given.items() if isinstance(value, Tensor)}
        before = {name: tensor.detach().clone() for name, tensor in tensors.items()}
        yield
        for name, tensor in tensors.items():
            if tensor.shape != before[name].shape or not torch.equal(tensor.detach(), before[name]):
                _add(self.harmless, owner, f"changed its input '{name}' in place")

    @contextmanager
    def _own_numbers(self, owner: str) -> Iterator[None]:
        with own_random_numbers(self.seed, owner) as drawn:
            yield
            if drawn():
                _add(self.harmless, owner, "drew random numbers from elsewhere than 'rng'")


@contextmanager
def alone(what: str, networks: Mapping[str, nn.Module] | None = None) -> Iterator[None]:
    """Puts back what code of the user's changes outside a cell, and says it on the terminal.

    Args:
        what: whose code runs: ``loading plug-ins``.
        networks: that it may change, by how it would write them.
    """
    kept = Modes(), Settings(), Functions(networks or {}), Snapshot(networks or {})
    try:
        yield
    finally:
        changes: list[str] = []
        for each in kept:
            changes += [change for change in each.changes() if not change.startswith(GRADIENTS)]
            each.put_back()
        if changes:
            say(f"{what} {', '.join(changes)}: put back")


def _end(error: BaseException) -> str:
    """What a component did that raised something else than an error."""
    if isinstance(error, SystemExit):
        return f"ended the program with exit status {error.code}"
    return f"raised {message(error)}"


def _add(said: dict[str, list[str]], owner: str, phrase: str) -> None:
    phrases = said.setdefault(owner, [])
    if phrase not in phrases:
        phrases.append(phrase)
