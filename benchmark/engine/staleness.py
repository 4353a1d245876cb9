"""Tells networks and functions apart that have the same code or version, but compute something else than before.

A digest of weights and code does not see an attribute that is a list, a buffer that is not saved, a hook, a global
variable or a helper, and a version is raised by hand. So a run keeps what each network, and each method, metric and
perturbation of the user's, computes on a few fixed inputs. Where that has changed since its cells were finished, it
counts as another one: its digest, and thus the keys of its cells, are those of a variant, and the cells are computed
anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

from ..components.choice import Choice
from ..errors import XaiboardError
from ..subjects.fixed_inputs import REAL, network_outputs
from ..subjects.outputs import Outputs
from ..subjects.trained_models import TrainedModel
from ..toolkit.data import Data, Reference
from ..toolkit.progress import say
from .batching import Batcher
from .cell import Cell
from .conditions import Conditions
from .trial import TrialValues, try_function
from .values import Values

TRIED = 2
"""For how many samples a function is tried."""

CODE = 12
"""Letters of the digest of a function's code."""

V = TypeVar("V", bound=Values)

Known = Mapping[str, Mapping[str, Any]]
"""Outputs as ``run.json`` has them, by what computed them."""


class Register:
    """Gives networks and functions the digest of the variant that they are, and keeps what they compute.

    Args:
        data: the samples of the run.
        reference: statistics of the training split, or None.
        conditions: seed, target, dtype, device.
        known: what is known in the folder of the run.
        strict: whether what computes something else than is known is refused, instead of counting as a variant.

    Attributes:
        outputs: of all that were registered, as ``run.json`` keeps them.
    """

    def __init__(
        self,
        data: Data,
        reference: Reference | None,
        conditions: Conditions,
        known: Known,
        *,
        strict: bool = False,
    ) -> None:
        self.strict = strict
        self.outputs: dict[str, Mapping[str, Any]] = {}
        self._data, self._reference, self._conditions, self._known = data, reference, conditions, known

    def network(self, trained: TrainedModel) -> TrainedModel:
        """A network with its outputs, and with the digest of its variant."""
        values = self._values(Values, trained, REAL)
        outputs = network_outputs(values.model, values.x)
        computed = {"": outputs} if outputs else {}
        digest = self._register(
            f"model '{trained.name}'", trained.digest, computed, lambda name, _: network_key(name, self._data)
        )
        return replace(trained, digest=digest, outputs=outputs, inputs=values.x)

    def function(
        self, choice: Choice, networks: Sequence[TrainedModel], others: Mapping[str, TrainedModel]
    ) -> Choice:
        """A method, metric or perturbation with the digest of its variant; one of the package's own as it is.

        Raises:
            XaiboardError: it changed what a network computes, and that cannot be put back.
        """
        if choice.component.built_in and choice.root.component.built_in:
            return choice
        component = choice.component
        owner, computed = f"{kind_of(choice)} '{component.name}'", {}
        for network in networks:
            values = self._values(TrialValues, network, TRIED, others)
            if outputs := try_function(choice, values):
                computed[network.digest] = outputs
            values.check_network(owner)
            values.require_network()

        def key(code: str, network: str) -> str:
            return function_key(choice, code, network, self._data)

        code = self._register(owner, component.code, computed, key)
        return choice if code == component.code else replace(choice, component=replace(component, code=code))

    def _register(
        self, owner: str, digest: str, computed: Mapping[str, Outputs], key: Callable[[str, str], str]
    ) -> str:
        """That of ``digest`` and its variants which is known to compute what was computed now, else the first unknown.

        Args:
            owner: kind and name of a network or function.
            digest: of its weights or code; empty if it has a version.
            computed: its outputs, those of a function by the network's digest.
            key: the name under which ``run.json`` has outputs, by the variant's digest and the network's.
        """
        free: list[str] = []
        found: str | None = None
        for variant in _variants(digest, len(self._known) + 1):
            by_key = {key(variant, network): outputs for network, outputs in computed.items()}
            before = {name: Outputs.read(self._known[name]) for name in by_key if name in self._known}
            if not before:
                free.append(variant)
            elif all(outputs.agrees_with(by_key[name]) for name, outputs in before.items()):
                found = variant
                break
        chosen = free[0] if found is None else found
        if found is None and chosen != digest:
            self._refuse(owner)
            same = "weights and code" if digest else "version"
            say(
                f"{owner} computes something else than when its finished cells were computed, with the same {same}; it"
                " counts as another one, and its cells are computed anew"
            )
        by_key = {key(chosen, network): outputs.plain for network, outputs in computed.items()}
        # what is known stays, so that all records of a folder are of the same numbers, not of a chain of rounded ones
        self.outputs |= {name: _fuller(self._known.get(name), outputs) for name, outputs in by_key.items()}
        return chosen

    def _refuse(self, owner: str) -> None:
        """Raises XaiboardError if what computes something else than before is refused."""
        if self.strict:
            raise XaiboardError(
                f"{owner} computes something else than when the scores of this run were computed, which its maps would"
                " not fit; run the same selection without --maps, which computes both anew"
            )

    def _values(
        self,
        kind: type[V],
        trained: TrainedModel,
        samples: int,
        others: Mapping[str, TrainedModel] | None = None,
    ) -> V:
        batcher = Batcher(None, self._conditions.device)
        return kind(trained, self._data[:samples], self._reference, self._conditions, batcher, others=others)


def computes_the_same(cell: Cell, data: Data, here: Known, there: Known) -> bool:
    """Whether network and functions of a cell compute what those of another folder did, as far as both are known."""
    both = names_of(cell, data) & here.keys() & there.keys()
    return all(Outputs.read(here[name]).agrees_with(Outputs.read(there[name])) for name in both)


def _fuller(known: Mapping[str, Any] | None, computed: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known, unless an earlier version wrote it, which computed less."""
    return computed if known is None or len(known["columns"]) < len(computed["columns"]) else known


def names_of(cell: Cell, data: Data) -> set[str]:
    """The names under which outputs of a cell's networks and functions are known."""
    names = {network_key(each.digest, data) for each in (cell.model, cell.other) if each}
    functions = [choice for choice in (cell.method, cell.metric, cell.perturbation) if choice]
    return names | {function_key(each, each.component.code, cell.model.digest, data) for each in functions}


def network_key(digest: str, data: Data) -> str:
    """The name under which ``run.json`` has what a network computes."""
    return f"network {digest[:16]} on samples {data.digest[:16]}"


def function_key(choice: Choice, code: str, network: str, data: Data) -> str:
    """The name under which ``run.json`` has what a function computes for a network.

    Args:
        choice: the function with its settings.
        code: digest of its code, or of its variant; empty if it has a version.
        network: digest of the network.
        data: the samples of the run.
    """
    version = f"{choice.component.version}.{code}" if code else str(choice.component.version)
    base = choice.base
    if base is not None and not base.component.built_in:
        version += f" on {base.component.revision}"
    return f"{kind_of(choice)} {choice.label} {version} of {network_key(network, data)}"


def kind_of(choice: Choice) -> str:
    """``method``, ``metric`` or ``perturbation``."""
    return type(choice.component).__name__.lower()


def warn_of_unknown_outputs(finished: Sequence[Cell], data: Data, known: Known) -> None:
    """Says how many finished cells there are of which it is not known what their networks computed."""
    unknown = [
        cell for cell in finished if cell.model.outputs and network_key(cell.model.digest, data) not in known
    ]
    if unknown:
        say(
            f"{len(unknown)} finished cells were computed by a version that did not keep what networks compute; their"
            " networks are taken for those of this run"
        )


def _variants(digest: str, number: int) -> Iterator[str]:
    """A digest, and ``number`` others of the same length; after none at all, others of the length of a code's."""
    yield digest
    for each in range(1, number + 1):
        yield sha256(f"{digest}#{each}".encode()).hexdigest()[: len(digest) or CODE]
