"""Notices that a component's code has changed although its version has not."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ..components.choice import Choice, choose
from ..errors import XaiboardError
from ..store.records import Store
from ..subjects.code_digest import code_digest
from ..toolkit.progress import say
from .cell import Cell


def own_code(cell: Cell) -> dict[str, str]:
    """Digests of the code of a cell's components, by kind and name; of those that are neither built in nor captum's."""
    digests = {}
    for name, choice in _watched(cell):
        with suppress(XaiboardError):  # code that has no digest cannot be compared
            digests[name] = code_digest(choice.component.function, docstrings=False)
    return digests


def warn_of_changed_code(finished: Sequence[Cell], store: Store) -> None:
    """Warns of components whose code differs from that with which their finished cells were computed.

    A record holds the digest of each component's code. Since version 0.2 docstrings are left out of it, so that
    rewording one is no change. A record of version 0.1 has a digest with docstrings: if the code still has that
    digest, it has not changed, and the store notes which digest without docstrings replaces it from now on.
    """
    changed, renewed = set(), dict(store.renewed_code)  # `renewed`: new digest by old digest
    for cell in finished:
        if not store.has(cell.key, 0) or not (own := own_code(cell)):
            continue
        before = store.read(cell.key, 0)[1]
        known = before.get("code", {}) if before.get("python") == platform.python_version() else {}
        for name, choice in _watched(cell):
            if name not in own or name not in known:
                continue
            digest = known[name]
            if digest not in (own[name], *renewed) and digest == code_digest(choice.component.function):
                renewed[digest] = own[name]
            if renewed.get(digest, digest) != own[name]:
                changed.add(name)
    if renewed != store.renewed_code:
        store.note_renewed_code(renewed)
    for name in sorted(changed):
        say(
            f"{name} has changed since its finished cells were computed, and they are kept; raise its version to"
            " compute them again"
        )


def own_components(cell: Cell) -> dict[str, Choice]:
    """The components of a cell that are not built in, by kind and name; also methods that it needs for others."""
    named = [("metric", cell.metric), ("method", cell.metric.base), ("perturbation", cell.perturbation)]
    method = cell.method
    while method is not None:
        named.append(("method", method))
        method = method.base
    own = {f"{kind} '{choice.component.name}'": choice for kind, choice in named if choice}
    own |= {f"shared value '{name}'": choose(value) for name, value in cell.metric.component.shared.items()}
    return {name: choice for name, choice in own.items() if not choice.component.built_in}


def _watched(cell: Cell) -> Iterator[tuple[str, Choice]]:
    """The components of a cell whose code may change from run to run, with kind and name."""
    for kind, choice in (
        ("method", cell.method),
        ("metric", cell.metric),
        ("perturbation", cell.perturbation),
    ):
        if choice is not None and not choice.component.function.__module__.startswith(
            ("xaiboard.", "captum.")
        ):
            yield f"{kind} '{choice.component.name}'", choice
