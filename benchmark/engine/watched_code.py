"""Notices that a component's code has changed although its version has not."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tqdm.auto import tqdm

from ..components.choice import Choice
from ..errors import XaiboardError
from ..store.records import Store
from ..subjects.code_digest import code_digest
from .cell import Cell


def own_code(cell: Cell) -> dict[str, str]:
    """Digests of the code of components that are neither built in nor captum's, by kind and name."""
    digests = {}
    for name, choice in _watched(cell):
        with suppress(XaiboardError):  # what has no digest is not watched
            digests[name] = code_digest(choice.component.function, docstrings=False)
    return digests


def warn_of_changed_code(finished: Sequence[Cell], store: Store) -> None:
    """Says which components have other code than when their finished cells were computed.

    Records of version 0.1 have digests that include docstrings. Where such a digest is that of the code as it is now,
    the digest without docstrings takes its place, so that a docstring that is reworded later is no change.
    """
    changed, renewed = set(), dict(store.renewed_code)
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
        tqdm.write(
            f"xaiboard: {name} has changed since its finished cells were computed, and they are kept; raise its"
            " version to compute them again",
            file=sys.stderr,
        )


def _watched(cell: Cell) -> Iterator[tuple[str, Choice]]:
    """The components of a cell whose code may change under the user's hands, with kind and name."""
    for kind, choice in (
        ("method", cell.method),
        ("metric", cell.metric),
        ("perturbation", cell.perturbation),
    ):
        if choice is not None and not choice.component.function.__module__.startswith(
            ("xaiboard.", "captum.")
        ):
            yield f"{kind} '{choice.component.name}'", choice
